"use strict";
// Looking at the first divergent pair: a mode a key, and nothing that needs more than this file.
(() => {
  const pair = document.getElementById("pair");
  const buttons = [...document.querySelectorAll("button[data-mode]")];
  if (!pair || !buttons.length) return;
  const knob = (name) => document.getElementById(name);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let mode = "flicker", timer = 0, shown = "a", sides;

  function show(side) {
    shown = side;
    pair.classList.toggle("show-a", side === "a");
    pair.classList.toggle("show-b", side === "b");
  }
  function beat() {
    clearInterval(timer);
    if (mode === "flicker") timer = setInterval(() => show(shown === "a" ? "b" : "a"), 1000 / knob("speed").value);
  }
  function set(next) {
    pair.classList.remove("mode-" + mode);
    mode = next;
    pair.classList.add("mode-" + mode);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    knob("speed-label").hidden = mode !== "flicker";
    knob("gain-label").hidden = mode !== "difference";
    knob("split-label").hidden = mode !== "slider";
    paint();
    beat();
  }

  // The pixels of both sides, read once; null if they are not of one size.
  function pixels() {
    if (sides !== undefined) return sides;
    const [a, b] = pair.querySelectorAll("img"), width = a.naturalWidth, height = a.naturalHeight;
    if (!width) return null;
    const read = (image) => {
      const context = sheet(document.createElement("canvas"), width, height);
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, width, height).data;
    };
    sides = b.naturalWidth === width && b.naturalHeight === height ? { left: read(a), right: read(b), width, height } : null;
    return sides;
  }
  function sheet(canvas, width, height) {
    canvas.width = width; canvas.height = height;
    return canvas.getContext("2d", { willReadFrequently: true });
  }

  // Painted here and not by blending: a browser may scale two pictures a pixel apart.
  function paintDifference({ left, right, width, height }) {
    const context = sheet(knob("sheet"), width, height), out = context.createImageData(width, height);
    const gain = Number(knob("gain").value);
    for (let k = 0; k < left.length; k++) out.data[k] = k % 4 === 3 ? 255 : gain * Math.abs(left[k] - right[k]);
    context.putImageData(out, 0, 0);
  }

  // Mean absolute difference of 16-pixel tiles, square root scale, over a grey copy of the reference.
  function paintHeat({ left, right, width, height }) {
    const tile = 16, columns = Math.ceil(width / tile);
    const sums = new Float64Array(columns * Math.ceil(height / tile));
    for (let y = 0, k = 0; y < height; y++)
      for (let x = 0; x < width; x++, k += 4)
        sums[(y / tile | 0) * columns + (x / tile | 0)] +=
          Math.abs(left[k] - right[k]) + Math.abs(left[k + 1] - right[k + 1]) + Math.abs(left[k + 2] - right[k + 2]);
    const context = sheet(knob("sheet"), width, height), out = context.createImageData(width, height);
    for (let y = 0, k = 0; y < height; y++)
      for (let x = 0; x < width; x++, k += 4) {
        const heat = Math.min(1, Math.sqrt(sums[(y / tile | 0) * columns + (x / tile | 0)] / (tile * tile * 3 * 255)) * 2);
        const grey = (left[k] * 0.3 + left[k + 1] * 0.6 + left[k + 2] * 0.1) * 0.35;
        out.data[k] = grey + (255 - grey) * heat;
        out.data[k + 1] = grey + (190 * heat - grey) * heat;
        out.data[k + 2] = grey * (1 - heat);
        out.data[k + 3] = 255;
      }
    context.putImageData(out, 0, 0);
  }
  function paint() {
    const both = mode === "difference" || mode === "heat" ? pixels() : null;
    if (both) (mode === "heat" ? paintHeat : paintDifference)(both);
  }

  const box = (pair.dataset.box || "").split(" ").map(Number);
  function zoom(on) {
    const image = pair.querySelector("img"), width = image.naturalWidth, height = image.naturalHeight;
    if (box.length < 4 || !width) return;
    const scale = Math.min(16, Math.max(1.5, Math.min(width / (box[2] * 3), height / (box[3] * 3))));
    // The point that stays in place when scaling, so that the box's middle comes to the middle as far as edges allow.
    const keep = (start, size, whole) => {
      const middle = start + size / 2;
      const origin = (whole / 2 - scale * middle) / (1 - scale);
      return Math.min(100, Math.max(0, 100 * origin / whole)) + "%";
    };
    pair.style.setProperty("--zoom", scale);
    pair.style.setProperty("--zx", keep(box[0], box[2], width));
    pair.style.setProperty("--zy", keep(box[1], box[3], height));
    pair.classList.toggle("zoomed", on);
    knob("zoom").checked = on;
  }

  buttons.forEach((button) => button.addEventListener("click", () => set(button.dataset.mode)));
  knob("speed").addEventListener("input", beat);
  knob("gain").addEventListener("input", paint);
  const split = () => pair.style.setProperty("--split", knob("split").value + "%");
  knob("split").addEventListener("input", split);
  pair.addEventListener("pointermove", (event) => {
    if (mode !== "slider") return;
    const frame = pair.getBoundingClientRect();
    knob("split").value = 100 * (event.clientX - frame.left) / frame.width;
    split();
  });
  knob("zoom").addEventListener("change", () => zoom(knob("zoom").checked));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const number = "12345678".indexOf(event.key);
    if (event.key.length === 1 && number >= 0) set(buttons[number].dataset.mode);
    else if (event.key === "z" && !knob("zoom").disabled) zoom(!knob("zoom").checked);
    else if (event.key === " " && event.target === document.body) { set(mode === "flicker" ? "a" : "flicker"); event.preventDefault(); }
  });
  show("a");
  set(still ? "side" : "flicker");
})();
