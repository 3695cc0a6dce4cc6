import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formField, parseMultipart } from './multipart.ts'

const BODY =
  '--B\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n' +
  '--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n\r\n--b\r\n\r\n' +
  '--B--\r\n'

test('a form is read part by part, and a part may hold line ends and dashes', () => {
  const form = parseMultipart('multipart/form-data; boundary=B', Buffer.from(BODY))
  assert.ok(form)
  assert.equal(formField(form, 'model'), 'whisper-1')
  assert.equal(formField(form, 'file'), undefined)
  const [, file] = form.parts
  assert.deepEqual(
    [file?.filename, file?.contentType, file?.bytes.toString()],
    ['a.wav', 'audio/wav', '\r\n--b\r\n'],
  )
})

const BROKEN: readonly (readonly [string, string, string])[] = [
  ['without a boundary', 'multipart/form-data', BODY],
  ['with another boundary', 'multipart/form-data; boundary=C', BODY],
  ['cut before its end', 'multipart/form-data; boundary=B', BODY.slice(0, -8)],
  ['whose part has no name', 'multipart/form-data; boundary=B', '--B\r\ncontent-type: a/b\r\n\r\nx\r\n--B--'],
]

for (const [how, type, body] of BROKEN) {
  test(`a form ${how} is no form`, () => {
    assert.equal(parseMultipart(type, Buffer.from(body)), undefined)
  })
}

test('a quoted boundary is read', () => {
  assert.ok(parseMultipart('multipart/form-data; boundary="B"', Buffer.from(BODY)))
})
