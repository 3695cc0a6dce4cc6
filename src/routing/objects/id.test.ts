import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GatewayError } from '../../core/failure.ts'
import { decodeObjectId, deploymentKey, encodeObjectId } from './id.ts'
import type { ObjectKind } from './id.ts'

const KEY = deploymentKey('65f20bd97dac2f3781710403bc09fc562201cc42')

function refusal(kind: ObjectKind, id: string): string {
  try {
    return `read as ${JSON.stringify(decodeObjectId(kind, id))}`
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    assert.deepEqual([error.kind, error.clientStatus, error.source], ['not_found', 404, 'client'])
    return error.message
  }
}

describe('an id that remembers its deployment', () => {
  test('is the same every time, and looks like one of OpenAI', () => {
    assert.equal(
      encodeObjectId('file', KEY, 'file-abc123'),
      encodeObjectId('file', deploymentKey('65f20bd97dac2f3781710403bc09fc562201cc42'), 'file-abc123'),
    )
    assert.match(encodeObjectId('file', KEY, 'file-abc123'), /^file-pg1_[\w-]{30,60}$/)
    assert.match(encodeObjectId('batch', KEY, 'batch_1'), /^batch_pg1_[\w-]+$/)
  })

  test('gives back what was put in, whatever a provider calls its things', () => {
    const names = [
      'file-abc',
      'b7a1c2de-0000-4000-8000-000000000000',
      'a/b c?d#e',
      'ünï',
      '%2e%2e',
      'x'.repeat(512),
    ]
    // Ids of one chained gateway are another one's upstream ids.
    for (const upstreamId of [...names, encodeObjectId('file', KEY, 'file-abc')]) {
      const id = encodeObjectId('file', KEY, upstreamId)
      assert.deepEqual(decodeObjectId('file', id), { deployment: KEY, upstreamId })
    }
  })

  test('differs by deployment, by kind and by what it names', () => {
    const other = deploymentKey('another')
    const ids = [KEY, other].flatMap((key) => [
      encodeObjectId('file', key, 'one'),
      encodeObjectId('file', key, 'two'),
      encodeObjectId('batch', key, 'one'),
    ])
    assert.equal(new Set(ids).size, 6)
  })

  test('is refused when any one character of it is another', () => {
    const id = encodeObjectId('file', KEY, 'file-abc123')
    for (let at = 'file-pg1_'.length; at < id.length; at += 1) {
      const altered = id.slice(0, at) + (id[at] === 'A' ? 'B' : 'A') + id.slice(at + 1)
      assert.match(refusal('file', altered), /cut or altered/, altered)
    }
    for (let length = 'file-pg1_'.length; length < id.length; length += 1)
      assert.match(refusal('file', id.slice(0, length)), /cut or altered/)
    assert.match(refusal('file', `${id}A`), /cut or altered/)
    assert.match(refusal('file', `${id}=`), /cut or altered/)
  })

  test('of another kind is refused', () => {
    assert.match(refusal('batch', encodeObjectId('file', KEY, 'one')), /id of something else/)
    assert.match(refusal('file', encodeObjectId('batch', KEY, 'one')), /id of something else/)
    const renamed = encodeObjectId('file', KEY, 'one').replace('file-', 'batch_')
    assert.match(refusal('batch', renamed), /cut or altered/)
  })

  test('never leads out of its place in a path', () => {
    for (const upstreamId of ['..', '.', ''])
      assert.match(refusal('file', encodeObjectId('file', KEY, upstreamId)), /cut or altered/)
    for (const id of [
      '..',
      '.',
      '',
      '../models',
      'a/b',
      'a?b',
      'a#b',
      'a%2fb',
      'a b',
      'a\0',
      'x'.repeat(513),
    ])
      assert.match(refusal('file', id), /that is no id/)
  })

  test('of a provider is its own', () => {
    for (const id of [
      'file-abc123',
      'batch_1',
      'assistant-9',
      'b7a1c2de-0000-4000-8000-000000000000',
      'file-pg2_x',
    ])
      assert.equal(decodeObjectId('file', id), undefined)
  })
})
