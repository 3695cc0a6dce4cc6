import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeWhole, opening } from './judge.ts'

test('a whole answer is one only if it has choices', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['{"choices":[{"index":0}]}', undefined],
    ['\n\n {"error":null,"choices":[{}]}', undefined],
    ['{"error":{"message":"partly"},"choices":[{}]}', undefined],
    ['', 'empty'],
    [' \n', 'empty'],
    ['<html>', 'wrong_shape'],
    ['{"choices":[{}]', 'wrong_shape'],
    ['[]', 'wrong_shape'],
    ['{"ok":true}', 'wrong_shape'],
    ['{"choices":[ ]}', 'wrong_shape'],
    ['{"choices":null,"error":{"message":"no"}}', 'server_error'],
    ['{"error":"no"}', 'server_error'],
    ['{"error":null}', 'wrong_shape'],
    ['data: {"choices":[{}]}\n\n', 'wrong_shape'],
  ]
  for (const [body, kind] of cases) {
    const judged = judgeWhole(Buffer.from(body), 'choices')
    assert.equal('kind' in judged ? judged.kind : undefined, kind, body)
  }
})

test('the first bytes of a stream tell events from everything else', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'wait'],
    ['\n', 'wait'],
    ['da', 'wait'],
    ['data: {"choices"', 'wait'],
    ['data: {"choices":[]}\n\n', 'events'],
    ['data: {"choices":[]}\r\n\r\n', 'events'],
    ['data: {"choices":[]}\r\r', 'events'],
    ['data: {"choices":[]}\r', 'wait'],
    ['event: error\rdata: {"message":"busy"}\r\r', 'server_error'],
    ['event: x\ndata: {"a":1}\n\n', 'events'],
    ['data: [DONE]\n\n', 'empty'],
    [': still thinking\n', 'events'],
    ['{"error":1}', 'object'],
    ['<!DOCTYPE html>', 'wrong_shape'],
    ['data: {"error":{"message":"busy"}}\n\n', 'server_error'],
    ['event: error\ndata: {"error":{"message":"busy"}}\n\n', 'server_error'],
    ['event: error\ndata: {"message":"busy"}\n\n', 'server_error'],
    ['event:error\r\ndata: busy\r\n\r\n', 'server_error'],
    ['event: errors\ndata: {"message":"busy"}\n\n', 'events'],
    ['\uFEFF', 'wait'],
    ['\uFEFFda', 'wait'],
    ['\uFEFFdata: {"choices":[]}\n\n', 'events'],
    ['\uFEFFdata: {"error":{"message":"busy"}}\n\n', 'server_error'],
    ['data: {"error":null,"choices":[]}\n\n', 'events'],
    ['data: {"broken\n\n', 'wrong_shape'],
  ]
  for (const [bytes, expected] of cases) {
    const found = opening(Buffer.from(bytes), 'choices')
    assert.equal(typeof found === 'object' ? found.kind : found, expected, bytes)
  }
})
