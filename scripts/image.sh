#!/usr/bin/env bash
# Builds the Dockerfile without an engine and without a registry: Debian's buildah in a chroot, from a base made here.
# Needs root, and: apt-get install --no-install-recommends buildah debootstrap
set -euo pipefail
cd "$(dirname "$0")/.."
bun=${1:?usage: scripts/image.sh PATH_OF_THE_BUN_EXECUTABLE [WORK_DIR]}
work=${2:-$(mktemp -d)}
export STORAGE_DRIVER=vfs
store=(--root "$work/store" --runroot "$work/run")

if [ ! -d "$work/base" ]; then
  debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$work/base"
fi
base=$(buildah "${store[@]}" from scratch)
buildah "${store[@]}" copy -q "$base" "$work/base" /
buildah "${store[@]}" copy -q "$base" "$bun" /usr/local/bin/bun
# A network with a CA of its own: the build inside trusts it as this machine does.
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  buildah "${store[@]}" copy -q "$base" "$NODE_EXTRA_CA_CERTS" /etc/ssl/extra-ca.pem
  buildah "${store[@]}" config --env NODE_EXTRA_CA_CERTS=/etc/ssl/extra-ca.pem "$base"
fi
buildah "${store[@]}" commit -q "$base" landline-base

buildah "${store[@]}" build --isolation chroot --format docker \
  --build-arg BUN_IMAGE=localhost/landline-base --build-arg RUNTIME_IMAGE=localhost/landline-base \
  -t landline .
made=$(buildah "${store[@]}" from localhost/landline)
buildah "${store[@]}" run --isolation chroot "$made" -- /usr/local/bin/landline version
# As its health check would: the server runs as the image's own user and answers.
buildah "${store[@]}" run --isolation chroot --env LANDLINE_HTTP_PORT=13999 --env LANDLINE_SIP_PORT=0 "$made" -- sh -c '
  landline serve & server=$!
  for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3; landline doctor --live && break; done
  status=$?; id -un; ls -ld /data; kill "$server"; wait "$server"; exit "$status"'
