import { after } from 'node:test'
import { startFakeProvider } from './server.ts'
import type { FakeProvider, FakeProviderOptions } from './server.ts'

/** A request of a test; `body` objects go out as JSON. */
export interface Ask {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer, read to its end. */
export interface Got {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Starts a fake that ends with the test file. */
export async function fakeForTests(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const fake = await startFakeProvider(options)
  after(() => fake.stop())
  return fake
}

/** Sends a request: POST with a bearer where there is a body, else GET. */
export async function ask(url: string, { method, body, headers = {} }: Ask = {}): Promise<Got> {
  const isRaw = body === undefined || body instanceof FormData || typeof body === 'string'
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: 'Bearer sk-test',
      ...(isRaw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    redirect: 'manual',
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Sends a request with Azure's key header in place of the bearer. */
export async function askAzure(url: string, request: Ask = {}): Promise<Got> {
  const response = await fetch(url, {
    method: request.body === undefined ? 'GET' : 'POST',
    headers: { 'api-key': 'az-test', 'content-type': 'application/json', ...request.headers },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The JSON of an answer; fails the test where it is none. */
export function json(got: Got): unknown {
  const value: unknown = JSON.parse(got.text)
  return value
}

/** A WAV of silence: 16-bit mono at 8 kHz. */
export function wav(seconds: number): Buffer {
  const data = Buffer.alloc(Math.round(seconds * 16_000))
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt32LE(16_000, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}

/** A transcription form, the file last. */
export function soundForm(
  sound: Buffer,
  filename: string,
  fields: Readonly<Record<string, string>>,
): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new Blob([new Uint8Array(sound)]), filename)
  return form
}

/** A chat body that every provider takes. */
export const CHAT = {
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'ping' }],
  max_tokens: 16,
} as const
