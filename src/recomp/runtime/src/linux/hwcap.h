/* AT_HWCAP: the optional instructions that guests may use (arch/arm64/include/uapi/asm/hwcap.h). One table, for the
 * auxiliary vector and for /proc/cpuinfo. */
#ifndef RT_LINUX_HWCAP_H
#define RT_LINUX_HWCAP_H

#define RT_EACH_HWCAP(X) \
  X(0, "fp")             \
  X(1, "asimd")          \
  X(3, "aes")            \
  X(4, "pmull")          \
  X(5, "sha1")           \
  X(6, "sha2")           \
  X(7, "crc32")          \
  X(8, "atomics")        \
  X(9, "fphp")           \
  X(10, "asimdhp")       \
  X(12, "asimdrdm")      \
  X(15, "lrcpc")         \
  X(20, "asimddp")

#define RT_HWCAP_BIT(bit, name) | 1ul << bit
#define RT_HWCAP_NAME(bit, name) " " name

#define RT_HWCAP (0 RT_EACH_HWCAP(RT_HWCAP_BIT))
#define RT_HWCAP_NAMES "" RT_EACH_HWCAP(RT_HWCAP_NAME) /* each behind a space */

#endif
