"""What only a server that checks credentials can show: `make test-cluster` runs this with Ceph's gateway."""

from __future__ import annotations

import pytest

from batch.machines import bucket
from recomp.batch.objects import Objects
from recomp.errors import ToolError


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_wrong_credential_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with bucket() as made:
        for key, value in made.env.items():
            monkeypatch.setenv(key, value)
        objects = Objects(made.url)
        assert objects.create("one", b"1") and not objects.create("one", b"2")
        monkeypatch.setenv(name, "wrong")
        with pytest.raises(ToolError, match="refused"):
            Objects(made.url).get("one")
