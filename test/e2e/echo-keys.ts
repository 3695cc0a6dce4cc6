import { createServer } from 'node:http'

/** An upstream that writes down all it is sent, and answers with it as an error, as some do. */
export async function startUpstream(): Promise<{
  readonly url: string
  /** Request line, headers and body of each request. */
  seen(): readonly string[]
  stop(): void
}> {
  const seen: string[] = []
  const server = createServer((request, answer) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part
    })
    request.on('end', () => {
      const told = `${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)} ${body}`
      seen.push(told)
      answer.writeHead(400, { 'content-type': 'application/json' })
      answer.end(
        JSON.stringify({ error: { message: `what is this: ${told}`, type: 'invalid_request_error' } }),
      )
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/v1`,
    seen: () => seen,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
