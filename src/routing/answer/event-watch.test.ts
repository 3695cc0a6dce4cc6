import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALIVE, createEventWatch, isPlain, signOf } from './event-watch.ts'

test('comments say nothing, pings that the server lives, and everything else is an event', () => {
  const cases = [
    [': keep-alive\n\n', 'nothing'],
    ['\r\n', 'nothing'],
    [ALIVE.toString(), 'life'],
    ['event: ping\ndata: {"type": "ping"}\n\n', 'life'],
    ['event:ping\r\ndata:{"type":"ping"}\r\n\r\nevent: ping\n', 'life'],
    ['data: {"type":"ping"}\n\n', 'life'],
    ['event: ping\ndata: {"type":"ping","more":1}\n\n', 'event'],
    ['event: ping\ndata: {"type":"ping"}\n\ndata: {"type":"message_stop"}\n\n', 'event'],
    ['data: {"choices":[{"delta":{"content":"ping"}}]}\n\n', 'event'],
    ['data: [DONE]\n\n', 'event'],
  ] as const
  for (const [text, sign] of cases) {
    const lines = Buffer.from(text)
    assert.equal(signOf(lines), sign, text)
    assert.equal(createEventWatch().see(lines, isPlain(lines)), sign, text)
  }
})
