import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withOurIds } from './answer.ts'
import { deploymentKey, encodeObjectId } from './id.ts'

const KEY = deploymentKey('d')
const file = (id: string): string => encodeObjectId('file', KEY, id)
const batch = (id: string): string => encodeObjectId('batch', KEY, id)

test('a file gets our id, and keeps everything else', () => {
  const json = { id: 'file-1', object: 'file', bytes: 3, 'x-new': { id: 'file-1' }, parent: null }
  assert.deepEqual(withOurIds('file', KEY, json), { ...json, id: file('file-1') })
})

test('a batch gets our ids where there are any', () => {
  const json = {
    id: 'batch_1',
    input_file_id: 'file-1',
    output_file_id: null,
    error_file_id: '',
    metadata: { input_file_id: 'file-1' },
  }
  const expected = { ...json, id: batch('batch_1'), input_file_id: file('file-1') }
  assert.deepEqual(withOurIds('batch', KEY, json), expected)
  const done = withOurIds('batch', KEY, { id: 'b', output_file_id: 'o', error_file_id: 'e' })
  assert.deepEqual(done, { id: batch('b'), output_file_id: file('o'), error_file_id: file('e') })
})

test('a list gets our ids in each row and at its ends', () => {
  const json = {
    object: 'list',
    data: [{ id: 'f1' }, 7, { id: 'f2' }],
    first_id: 'f1',
    last_id: 'f2',
    has_more: true,
  }
  assert.deepEqual(withOurIds('file', KEY, json), {
    object: 'list',
    data: [{ id: file('f1') }, 7, { id: file('f2') }],
    first_id: file('f1'),
    last_id: file('f2'),
    has_more: true,
  })
  const empty = { object: 'list', data: [], first_id: null, last_id: null, has_more: false }
  assert.deepEqual(withOurIds('batch', KEY, empty), empty)
})

test('an upload gets our ids, and so do its part and the file that it became', () => {
  const upload = encodeObjectId('upload', KEY, 'upload_1')
  const part = { id: 'part_1', object: 'upload.part', upload_id: 'upload_1' }
  assert.deepEqual(withOurIds('part', KEY, part), {
    ...part,
    id: encodeObjectId('part', KEY, 'part_1'),
    upload_id: upload,
  })
  const open = { id: 'upload_1', status: 'pending', file: null }
  assert.deepEqual(withOurIds('upload', KEY, open), { ...open, id: upload })
  const done = { ...open, file: { id: 'file-1', bytes: 3 } }
  assert.deepEqual(withOurIds('upload', KEY, done), {
    ...open,
    id: upload,
    file: { id: file('file-1'), bytes: 3 },
  })
})
