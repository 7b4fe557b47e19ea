#!/bin/sh
# What `make test-cluster` needs beyond setup-test.sh: Ceph's S3 gateway and the two servers it stands on, from Debian
# (about 200 MB installed; needs root or sudo if they are missing). Nothing is started: tests/batch/rgw.py does that.
set -eu
cd "$(dirname "$0")/.."
missing=""
for pair in radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph:ceph-common radosgw-admin:ceph-common; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
# shellcheck disable=SC2086
[ -z "$missing" ] || tools/install-packages.sh setup-cluster $missing
