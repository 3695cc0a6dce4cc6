import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startUpstream, startWired, UPSTREAM_KEY } from './wired.test.ts'
import type { Answer, Wired } from './wired.test.ts'

function post(wired: Wired, path: string, body: object): Promise<Answer> {
  return wired.ask(path, { method: 'POST', body: JSON.stringify({ model: 'a', ...body }) })
}

const SPEECH = { input: 'hi', voice: 'alloy' }
const DELTA = 'data: {"type":"speech.audio.delta","audio":"AA=="}\n\n'

test('images can be streamed, and an error as the first event is a status', async () => {
  const event = 'event: image_generation.partial_image\ndata: {"type":"partial_image","b64_json":"AA=="}\n\n'
  let sent = event
  const base = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(sent)
  })
  const wired = await startWired([{ group: 'a', base }])
  const ask = (): Promise<Answer> => post(wired, '/v1/images/generations', { prompt: 'a dot', stream: true })
  const good = await ask()
  assert.deepEqual(
    [good.status, good.text, good.headers['content-type']],
    [200, event, 'text/event-stream; charset=utf-8'],
  )
  sent = `data: {"type":"error","error":{"message":"busy, ${UPSTREAM_KEY}"}}\n\n`
  const bad = await ask()
  assert.equal(bad.status, 500)
  assert.match(bad.text, /busy, \[secret\]/)
})

test('speech can be asked for as events, whose errors hold no secret', async () => {
  const base = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`${DELTA}data: {"type":"error","error":{"message":"${UPSTREAM_KEY}"}}\n\n`)
  })
  const wired = await startWired([{ group: 'a', base }])
  const answer = await post(wired, '/v1/audio/speech', { ...SPEECH, stream_format: 'sse' })
  assert.deepEqual(
    [answer.status, answer.text],
    [200, `${DELTA}data: {"type":"error","error":{"message":"[secret]"}}\n\n`],
  )
})

test('speech as events that breaks off ends with an error event', async () => {
  const base = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(DELTA, () => response.destroy())
  })
  const wired = await startWired([{ group: 'a', base }])
  const { status, text } = await post(wired, '/v1/audio/speech', { ...SPEECH, stream_format: 'sse' })
  assert.equal(status, 200)
  assert.match(text, /"type":"cut".*\n\n$/)
})

test('JSON under the name of sound is refused before the first byte, and repeats no key', async () => {
  const base = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' })
    // Long enough that a quotation of it would end in the middle of the key.
    response.end(`{"error":{"message":"${'no voice '.repeat(6)}${UPSTREAM_KEY}"}}`)
  })
  const wired = await startWired([{ group: 'a', base }])
  const { status, text } = await post(wired, '/v1/audio/speech', SPEECH)
  assert.equal(status, 500)
  assert.match(text, /no voice \[secret\]/)
  assert.doesNotMatch(text, /sk-canary/)
})

test('a completion that its provider answers as a message reaches the client as text, streamed too', async () => {
  const said = (place: string, text: string, finish: string | null): string =>
    `{"id":"1","object":"chat","choices":[{"index":0,"${place}":{"content":"${text}"},"finish_reason":${JSON.stringify(finish)}}]}`
  const sent: string[] = []
  const base = await startUpstream((request, response) => {
    request.on('data', (chunk: Buffer) => {
      sent.push(`${request.url} ${chunk.toString()}`)
      if (!chunk.includes('"stream":true')) response.end(said('message', 'pong', 'stop'))
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(`data: ${said('delta', 'po', null)}\n\ndata: ${said('delta', 'ng', 'stop')}\n\n`)
      }
    })
  })
  const wired = await startWired([{ group: 'a', base, model: 'codestral/codestral-latest' }])
  const asked = { prompt: 'pi', suffix: 'po', max_completion_tokens: 9 }
  const text = (words: string, finish: string | null): string =>
    `{"id":"1","object":"text_completion","choices":[{"index":0,"finish_reason":${JSON.stringify(finish)},"text":"${words}","logprobs":null}]}`
  assert.equal((await post(wired, '/v1/completions', asked)).text, text('pong', 'stop'))
  assert.equal(
    (await post(wired, '/v1/completions', { ...asked, stream: true })).text,
    `data: ${text('po', null)}\n\ndata: ${text('ng', 'stop')}\n\ndata: [DONE]\n\n`,
  )
  assert.deepEqual(JSON.parse(sent[0]?.slice('/v1/fim/completions '.length) ?? ''), {
    model: 'codestral-latest',
    prompt: 'pi',
    suffix: 'po',
    max_tokens: 9,
  })
  const several = await post(wired, '/v1/completions', { prompt: ['a', 'b'] })
  assert.equal(several.status, 400)
  assert.match(several.text, /'prompt' must be a text/)
})

test('the name asked for can be written into the answers that name a model', async () => {
  const vectors = '{"object":"list","model":"up","data":[{"index":0,"embedding":[1]}]}'
  const images = '{"created":1,"data":[{"url":"http://x"}]}'
  const base = await startUpstream((request, response) => {
    response.end(request.url === '/v1/embeddings' ? vectors : images)
  })
  const wired = await startWired([{ group: 'a', base }], { relay: { rewriteResponseModel: true } })
  const embedded = await post(wired, '/v1/embeddings', { input: 'hi' })
  assert.equal(embedded.text, '{"object":"list","model":"a","data":[{"index":0,"embedding":[1]}]}')
  assert.equal((await post(wired, '/v1/images/generations', { prompt: 'a dot' })).text, images)
})
