import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createEventGate } from './event-gate.ts'

const STREAM = [
  'data: {"id":"1","model":"up","choices":[{"delta":{"content":"é😀\\n"}}]}\n\n',
  ': ping\n\n',
  'event: x\r\ndata: {"model":"up"}\r\n\r\n',
  'data: {"error":{"message":"bad key sk-canary-1"}}\n\n',
  'data: [DONE]\n\n',
].join('')

function passed(splits: readonly number[], model?: string): string {
  const bytes = Buffer.from(STREAM)
  const gate = createEventGate({
    redact: (text) => text.replaceAll('sk-canary-1', '[secret]'),
    see: () => {},
    ...(model !== undefined && { model }),
  })
  const cuts = [...new Set(splits.map((at) => at % bytes.length))].sort((a, b) => a - b)
  const out: Buffer[] = []
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    out.push(gate.push(bytes.subarray(from, cut)) ?? Buffer.alloc(0))
    from = cut
  }
  return Buffer.concat([...out, gate.rest() ?? Buffer.alloc(0)]).toString()
}

test('a stream passes as it is in any split, but for an echoed key', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), (splits) =>
      assert.equal(passed(splits), STREAM.replace('sk-canary-1', '[secret]')),
    ),
  )
})

test('the name asked for is written over the model of every event, in any split', () => {
  const expected = STREAM.replace('sk-canary-1', '[secret]')
    .replace('"model":"up","choices"', '"model":"mine","choices"')
    .replace('data: {"model":"up"}\r\n', 'data: {"model":"mine"}\n')
  fc.assert(fc.property(fc.array(fc.nat()), (splits) => assert.equal(passed(splits, 'mine'), expected)))
})

test('lines that end in carriage returns alone pass as they come, ended by line feeds', () => {
  const gate = createEventGate({ redact: (text) => text, see: () => {} })
  assert.equal(gate.push(Buffer.from('data: {"a":1}\r\r'))?.toString(), 'data: {"a":1}\n\n')
  assert.equal(gate.push(Buffer.from('data: {"é":2}\r\rdata: [DO'))?.toString(), 'data: {"é":2}\n\n')
  assert.equal(gate.push(Buffer.from('NE]\r\r'))?.toString(), 'data: [DONE]\n\n')
  assert.equal(gate.push(Buffer.from('data: 3\r')), undefined, 'half of a CRLF, for all one knows')
  assert.equal(gate.push(Buffer.from('\n\r\n'))?.toString(), 'data: 3\r\n\r\n')
})

test('only whole lines pass, so that an event can follow a broken one', () => {
  const gate = createEventGate({ redact: (text) => text, see: () => {} })
  assert.equal(gate.push(Buffer.from('data: {"a":1}\n\ndata: {"b'))?.toString(), 'data: {"a":1}\n\n')
  assert.equal(gate.push(Buffer.from('":')), undefined)
  assert.equal(gate.push(Buffer.from('2}\n'))?.toString(), 'data: {"b":2}\n')
})

test('a line without end is held no longer than a megabyte', () => {
  const gate = createEventGate({ redact: (text) => text, see: () => {} })
  assert.equal(gate.push(Buffer.alloc(1024 * 1024, 'x')), undefined)
  assert.equal(gate.push(Buffer.from('y'))?.length, 1024 * 1024 + 1)
})
