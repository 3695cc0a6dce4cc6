import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/failure.ts'
import type { ChatRequest } from '../../core/mode.ts'
import { deploymentOf } from '../../providers/adapter.contract.ts'
import { openLine, type Line } from '../../providers/call.ts'
import { createTransport } from '../../transport/transport.ts'
import { inlined, type FetchMedia } from './inline-media.ts'
import { allAdapters } from '../../providers/registry.ts'

await allAdapters()

const LIMITS = { timeoutMs: 1_000, maxBytes: 1_000 }

function lineThatWantsBytes(): Line {
  const transport = createTransport()
  const opened = openLine(deploymentOf('cohere'), { transport, env: {}, redact: (text) => text })
  assert.ok('line' in opened)
  const { line } = opened
  const { chat } = line.adapter.codecs
  assert.ok(chat !== 'unsupported')
  const codecs = {
    ...line.adapter.codecs,
    chat: { ...chat, inlines: (url: string) => !url.includes('kept') },
  }
  return { ...line, adapter: { ...line.adapter, codecs } }
}

const requestOf = (...urls: readonly string[]): ChatRequest => ({
  messages: [
    { role: 'system', content: 'look' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'https://pictures.test/in-a-text.png' },
        ...urls.map((url) => ({ type: 'image_url', image_url: { url, detail: 'low' } })),
        { type: 'file', file: { file_data: 'https://papers.test/a.pdf', filename: 'a.pdf' } },
      ],
    },
  ],
})

const PIXEL: FetchMedia = (url) =>
  Promise.resolve({
    contentType: url.endsWith('.pdf') ? 'application/pdf' : 'image/png',
    bytes: Buffer.from('x'),
  })

test('what the provider needs the bytes of is fetched once and stands in the request as data', async () => {
  const asked: string[] = []
  const request = requestOf(
    'https://pictures.test/a.png',
    'data:image/png;base64,eA==',
    'https://kept.test/b.png',
    'https://pictures.test/a.png',
  )
  const before = structuredClone(request)
  const filled = await inlined(lineThatWantsBytes(), 'chat', request, LIMITS, (url, limits) => {
    asked.push(url)
    return PIXEL(url, limits)
  })
  assert.deepEqual(asked, ['https://pictures.test/a.png', 'https://papers.test/a.pdf'])
  assert.deepEqual(request, before)
  assert.deepEqual(filled, {
    messages: [
      request.messages[0],
      {
        role: 'user',
        content: [
          { type: 'text', text: 'https://pictures.test/in-a-text.png' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,eA==', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,eA==', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://kept.test/b.png', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,eA==', detail: 'low' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,eA==', filename: 'a.pdf' } },
        ],
      },
    ],
  })
})

test('a request without such a thing waits for nothing, and one with too many is refused', () => {
  const line = lineThatWantsBytes()
  const plain = { messages: [{ role: 'user', content: 'https://pictures.test/a.png' }] }
  assert.equal(inlined(line, 'chat', plain, LIMITS, PIXEL), undefined)
  const many = requestOf(...Array.from({ length: 20 }, (_, at) => `https://pictures.test/${at}.png`))
  assert.throws(
    () => inlined(line, 'chat', many, LIMITS, PIXEL),
    (error) => error instanceof GatewayError && error.kind === 'bad_request' && error.param === 'messages',
  )
})
