import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/failure.ts'
import { scanObject } from '../../core/json-spans.ts'
import { lineOf } from '../../providers/line.fixture.ts'
import { allAdapters } from '../../providers/registry.ts'
import { surfaceFace } from '../../providers/surfaces.ts'
import type { StreamSink } from '../road.ts'
import type { FetchMedia } from '../translate/inline-media.ts'
import { askNative } from './ask-native.ts'

await allAdapters()

const LIMITS = { timeoutMs: 1_000, maxBytes: 1_000 }
const URL = 'https://pictures.test/a.png'

/** Asks about pictures: what is sent, and how it ends. */
function asked(
  fetchMedia: FetchMedia,
  urls: readonly string[] = [URL],
): { readonly ended: Promise<string>; readonly cancel: () => void } {
  const line = lineOf('bedrock', 'anthropic.claude-sonnet-4-5-20250929-v1:0')
  const content = urls.map((url) => ({ type: 'image', source: { type: 'url', url } }))
  const body = Buffer.from(JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content }] }))
  const face = surfaceFace(line, 'messages')
  assert.ok(face !== undefined)
  let cancel = (): void => assert.fail('not begun')
  const ended = new Promise<string>((resolve) => {
    const transport = {
      ...line.transport,
      stream: ({ body: sent }: { readonly body?: Uint8Array | string }) => {
        resolve(`sent ${String(sent)}`)
        return { resume: () => {}, cancel: () => {} }
      },
    }
    const sink: StreamSink = {
      head: () => {},
      data: () => true,
      end: () => {},
      fail: (error) =>
        resolve(error instanceof GatewayError ? `${error.kind}: ${error.message}` : String(error)),
    }
    const native = { native: { face, headers: {} }, body, spans: scanObject(body) }
    const running = askNative({ ...line, transport }, native, LIMITS, sink, fetchMedia)
    cancel = () => running.cancel()
  })
  return { ended, cancel: () => cancel() }
}

const PIXEL: FetchMedia = () => Promise.resolve({ contentType: 'image/png', bytes: Buffer.from('x') })

test('pictures are fetched before who wants their bytes is asked', async () => {
  const source = { type: 'base64', media_type: 'image/png', data: 'eA==' }
  assert.match(
    await asked(PIXEL).ended,
    new RegExp(`"source":${JSON.stringify(source).replaceAll(/[{}]/g, String.raw`\$&`)}`),
  )
})

test('what cannot be fetched is the client’s error, and nobody is asked', async () => {
  const gone: FetchMedia = (url) =>
    Promise.reject(new GatewayError('bad_request', `${url} cannot be had`, { source: 'client' }))
  assert.equal(await asked(gone).ended, `bad_request: ${URL} cannot be had`)
})

test('a client that leaves meanwhile is the end of it', async () => {
  const { ended, cancel } = asked(() => new Promise(() => {}))
  cancel()
  assert.match(await ended, /^cancelled/)
})

test('more than is fetched for one request is refused at once', async () => {
  const urls = Array.from({ length: 21 }, (_, at) => `https://pictures.test/${at}.png`)
  await assert.rejects(async () => asked(PIXEL, urls).ended, { kind: 'bad_request', param: 'messages' })
})
