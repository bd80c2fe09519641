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
buildah "${store[@]}" commit -q "$base" landline-base

buildah "${store[@]}" build --isolation chroot --format docker \
  --build-arg BUN_IMAGE=localhost/landline-base --build-arg RUNTIME_IMAGE=localhost/landline-base \
  -t landline .
made=$(buildah "${store[@]}" from localhost/landline)
buildah "${store[@]}" run --isolation chroot "$made" -- /usr/local/bin/landline version
