# Both images are arguments, so that a mirror or a local base can stand in for them.
ARG BUN_IMAGE=oven/bun:1.4.5-debian
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUN_IMAGE} AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production
COPY . .
RUN bun scripts/build.ts && dist/landline version

FROM ${RUNTIME_IMAGE}
# onnxruntime's native part needs the C++ runtime.
RUN if ! ldconfig -p | grep -q libstdc++.so.6; then \
      apt-get update && apt-get install -y --no-install-recommends libstdc++6 && rm -rf /var/lib/apt/lists/*; \
    fi \
  && useradd --system --uid 10001 --no-create-home landline \
  && install -d -m 0700 -o landline -g landline /data
COPY --from=build /src/dist/landline /usr/local/bin/landline
COPY LICENSE THIRD-PARTY-NOTICES.txt licences/onnxruntime-third-party.txt /usr/share/doc/landline/
USER landline
ENV LANDLINE_DATA_DIR=/data \
    LANDLINE_HTTP_HOST=0.0.0.0
VOLUME /data
# The API; signalling; sound. Behind NAT run with --network host, or publish all three.
EXPOSE 3000/tcp 5060/udp 20000-20199/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/landline", "doctor", "--live"]
ENTRYPOINT ["/usr/local/bin/landline"]
CMD ["serve"]
