import { AzureOpenAI, OpenAI, toFile } from 'openai'
import { KEY, type Call, type Place } from './place.ts'

const openaiAt = ({ url }: Place): OpenAI => new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 })

const azureAt = ({ url }: Place, deployment: string): AzureOpenAI =>
  new AzureOpenAI({ apiKey: KEY, endpoint: url, apiVersion: '2024-10-21', deployment, maxRetries: 0 })

const call = (name: string, run: (client: OpenAI) => Promise<unknown>): Call => ({
  name,
  run: (place) => run(openaiAt(place)),
})

/** A tenth of a second of silence, 8 kHz, one byte a sample. */
function silence(): Buffer {
  const samples = Buffer.alloc(800, 0x80)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + samples.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  for (const [at, value] of [1, 1].entries()) head.writeUInt16LE(value, 20 + 2 * at)
  for (const [at, value] of [8_000, 8_000].entries()) head.writeUInt32LE(value, 24 + 4 * at)
  for (const [at, value] of [1, 8].entries()) head.writeUInt16LE(value, 32 + 2 * at)
  head.write('data', 36)
  head.writeUInt32LE(samples.length, 40)
  return Buffer.concat([head, samples])
}

/** One black pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)

const sound = (): Promise<File> => toFile(silence(), 'silence.wav', { type: 'audio/wav' })
const picture = (): Promise<File> => toFile(PIXEL, 'dot.png', { type: 'image/png' })

async function listOf<Item>(items: PromiseLike<AsyncIterable<Item>>): Promise<readonly Item[]> {
  const list: Item[] = []
  for await (const item of await items) list.push(item)
  return list
}

/** Every call of OpenAI's own client that sends a form. */
export const UPLOAD_CALLS: readonly Call[] = [
  call('transcription', async (client) =>
    client.audio.transcriptions.create({ model: 'whisper-1', file: await sound() }),
  ),
  ...(['text', 'srt', 'vtt', 'verbose_json'] as const).map((format) =>
    call(`transcription as ${format}`, async (client) =>
      client.audio.transcriptions.create({
        model: 'whisper-1',
        file: await sound(),
        response_format: format,
      }),
    ),
  ),
  call('transcription with all that one may say', async (client) =>
    client.audio.transcriptions.create({
      model: 'whisper-1',
      file: await sound(),
      language: 'en',
      prompt: 'snow ☃ and "quotes"',
      temperature: 0.2,
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
    }),
  ),
  call('transcription, streamed', async (client) =>
    listOf(
      client.audio.transcriptions.create({
        model: 'gpt-4o-transcribe',
        file: await sound(),
        stream: true,
      }),
    ),
  ),
  call('translation', async (client) =>
    client.audio.translations.create({ model: 'whisper-1', file: await sound() }),
  ),
  call('image edit', async (client) =>
    client.images.edit({ model: 'gpt-image-1', image: await picture(), prompt: 'a white dot' }),
  ),
  call('image edit of two images', async (client) =>
    client.images.edit({
      model: 'gpt-image-1',
      image: [await picture(), await picture()],
      prompt: 'two dots',
    }),
  ),
  {
    name: 'azure: transcription',
    run: async (place) =>
      azureAt(place, 'my-whisper').audio.transcriptions.create({ model: '', file: await sound() }),
  },
  ...(
    [
      ['whisper-crashed', 'InternalServerError 500'],
      ['whisper-too-often', 'RateLimitError 429, wait 30'],
      ['whisper-wrong-key', 'AuthenticationError 401'],
    ] as const
  ).map(([model, raises]) => ({
    name: model,
    raises,
    run: async (place: Place) => openaiAt(place).audio.transcriptions.create({ model, file: await sound() }),
  })),
]
