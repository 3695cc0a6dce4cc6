import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFieldCollector, type ClientForm, type RestSink } from '../../core/client-form.ts'
import { createHandClock } from '../../core/clock.ts'
import { MAX_FILE_BYTES } from '../../core/form-file.ts'
import { createFormScan } from '../../core/form-scan.ts'
import type { RelayedForm } from '../../providers/form-request.ts'
import { takeForm, type ComingForm, type WholeForm } from './take-form.ts'

const FILE =
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a \\"b\\".wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\nsound\r\n'
const field = (name: string, text: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
const WHOLE = Buffer.from(
  `${field('model', 'm')}${FILE}${field('prompt', 'p')}${field('tags', '[]')}${field('times[]', 'word')}--b--\r\n`,
)

interface Client {
  readonly relayed: RelayedForm
  /** Sends the rest, as far as it is taken. */
  readonly send: (sink: (to: RestSink) => void) => void
  readonly isStopped: () => boolean
}

/** A form of which so many bytes are held. */
function clientOf(bytes: Buffer, heldBytes: number, more: Partial<ClientForm> = {}): Client {
  const held = bytes.subarray(0, heldBytes)
  const scan = createFormScan('b')
  const fields = createFieldCollector()
  for (const piece of scan.push(held)) fields.take(piece)
  let taker: RestSink | undefined
  let isStopped = false
  const rest = {
    isTaken: () => taker !== undefined,
    take: (sink: RestSink) => {
      taker = sink
      return { resume: () => {}, stop: () => void (isStopped = true) }
    },
  }
  const form: ClientForm = {
    contentType: 'multipart/form-data; boundary=b',
    boundary: 'b',
    held,
    fields: fields.fields(),
    ...(heldBytes < bytes.length && { rest }),
    ...more,
  }
  return {
    relayed: { form, fields: Buffer.from('{}'), removed: new Set(['tags']), refused: new Set(['api_base']) },
    send: (to) => taker !== undefined && to(taker),
    isStopped: () => isStopped,
  }
}

function coming(taken: WholeForm | ComingForm): ComingForm {
  assert.ok('whole' in taken)
  return taken
}

const SENT_FILE = { name: 'a \\"b\\".wav', contentType: 'audio/wav' }

test('a form that is held whole is read at once', () => {
  const clock = createHandClock()
  const taken = takeForm(clientOf(WHOLE, WHOLE.length).relayed, 1_000, clock)
  assert.ok(!('whole' in taken))
  assert.deepEqual(taken.late, {})
  assert.deepEqual(
    { ...taken.file, bytes: String(taken.file?.bytes) },
    { ...SENT_FILE, bytes: 'RIFF\r\nsound' },
  )
  assert.equal(clock.pending(), 0)
})

test('a form that is still coming is read to its end, wherever it is split', async () => {
  const first = WHOLE.indexOf('RIFF')
  for (let split = first; split < WHOLE.length; split += 1) {
    const clock = createHandClock()
    const client = clientOf(WHOLE, split)
    const { whole } = coming(takeForm(client.relayed, 1_000, clock))
    client.send((to) => {
      for (const byte of WHOLE.subarray(split)) to.data(Buffer.from([byte]))
      to.end()
    })
    const { late, file } = await whole
    assert.equal(String(file?.bytes), 'RIFF\r\nsound')
    // What the gateway reads itself goes to nobody, and what was known before is not said twice.
    const names = Object.keys(late)
    assert.ok(!names.includes('tags') && !names.includes('model'), names.join())
    const isKnown = client.relayed.form.fields.some(({ name, text }) => name === 'prompt' && text === 'p')
    assert.equal(late['prompt'], isKnown ? undefined : 'p', String(split))
    assert.equal(clock.pending(), 0)
  }
})

test('a file that is too large is refused with 413: by what is announced, or as soon as it is', async () => {
  const clock = createHandClock()
  const announced = clientOf(WHOLE, 200, { sizeBytes: MAX_FILE_BYTES * 2 })
  assert.throws(() => takeForm(announced.relayed, 1_000, clock), {
    kind: 'bad_request',
    clientStatus: 413,
    param: 'file',
    message: /larger than 26214400 bytes/,
  })
  const silent = clientOf(WHOLE, WHOLE.indexOf('RIFF'))
  const { whole } = coming(takeForm(silent.relayed, 1_000, clock))
  const refused = assert.rejects(whole, { clientStatus: 413, param: 'file' })
  const megabyte = Buffer.alloc(1024 * 1024)
  silent.send((to) => {
    for (let count = 0; count < 26; count += 1) to.data(megabyte)
    to.end()
  })
  await refused
  assert.deepEqual([silent.isStopped(), clock.pending()], [true, 0])
})

test('a client that stops sending, goes away, or is no longer waited for, ends the reading', async () => {
  const clock = createHandClock()
  const split = WHOLE.indexOf('sound')
  const slow = clientOf(WHOLE, split)
  const late = assert.rejects(coming(takeForm(slow.relayed, 1_000, clock)).whole, { clientStatus: 408 })
  clock.wind(1_000)
  await late
  const gone = clientOf(WHOLE, split)
  const lost = assert.rejects(coming(takeForm(gone.relayed, 1_000, clock)).whole, /went away/)
  gone.send((to) => to.fail(new Error('the client went away')))
  await lost
  const cut = clientOf(WHOLE, split)
  const short = assert.rejects(coming(takeForm(cut.relayed, 1_000, clock)).whole, { clientStatus: 400 })
  cut.send((to) => to.end())
  await short
  const left = clientOf(WHOLE, split)
  coming(takeForm(left.relayed, 1_000, clock)).stop()
  assert.deepEqual(
    [slow, gone, cut, left].map((each) => each.isStopped()),
    [true, true, true, true],
  )
  assert.equal(clock.pending(), 0)
})

test('a field that must not come is refused, however late it comes', async () => {
  const bytes = Buffer.from(`${field('model', 'm')}${FILE}${field('api_base', 'http://elsewhere')}--b--`)
  const client = clientOf(bytes, bytes.indexOf('RIFF'))
  const refused = assert.rejects(coming(takeForm(client.relayed, 1_000, createHandClock())).whole, {
    param: 'api_base',
    clientStatus: 400,
  })
  client.send((to) => {
    to.data(bytes.subarray(bytes.indexOf('RIFF')))
    to.end()
  })
  await refused
})
