/** The control of `start` and `api`: the least that answers HTTP. Its one argument is the port. */
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv.at(-1)),
  fetch: () => Response.json({ status: 'ok' }),
})
