#!/bin/sh
# What `make test-cluster` needs beyond setup-test.sh: Ceph's S3 gateway and the two servers it stands on, from Debian
# (about 200 MB installed; needs root or sudo if they are missing). Nothing is started: tests/batch/rgw.py does that.
set -eu
missing=""
for pair in radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph:ceph-common radosgw-admin:ceph-common; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0
as_root=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || { printf 'setup-cluster: error: missing:%s\nsetup-cluster: hint: as root: apt-get install%s\n' "$missing" "$missing" >&2; exit 1; }
  as_root="sudo"
fi
printf 'setup-cluster: installing%s\n' "$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
