import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { describe, test } from 'node:test'
import { ask } from './ask.ts'
import { crashLine } from './shell.ts'

async function withServer(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  try {
    await use(`http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/health`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('asking a gateway', () => {
  test('the key goes out as a Bearer token, and the answer comes back whole', () =>
    withServer(
      (request, answer) => {
        answer.statusCode = 401
        answer.end(`${request.method} ${request.headers.authorization}`)
      },
      async (url) => {
        assert.deepEqual(await ask(url, 'sk-1', 5000), { status: 401, text: 'GET Bearer sk-1' })
        assert.deepEqual(await ask(url, undefined, 5000), { status: 401, text: 'GET undefined' })
      },
    ))

  test('one that never answers is given up', () =>
    withServer(
      () => {},
      (url) => assert.rejects(ask(url, undefined, 50), { message: `${url} gave no answer within 0.05 s` }),
    ))

  test('one that stops in the middle of its answer is given up, too', () =>
    withServer(
      (_, answer) => void answer.write('{"healthy'),
      (url) => assert.rejects(ask(url, undefined, 50), { message: `${url} gave no answer within 0.05 s` }),
    ))

  test('an answer that breaks off is no answer', () =>
    withServer(
      (_, answer) => {
        answer.write('{"healthy')
        setImmediate(() => answer.destroy())
      },
      (url) => assert.rejects(ask(url, undefined, 5000), /cannot ask .*: aborted/),
    ))

  test('a key that no header can carry is not shown', () =>
    assert.rejects(ask('http://127.0.0.1:1/', 'sk-se\ncret', 5000), (error: Error) => {
      assert.match(error.message, /^cannot ask .*authorization/)
      assert.doesNotMatch(error.message, /cret/)
      return true
    }))
})

describe('a crash', () => {
  test('is one line that says what and where', () => {
    const error = new TypeError('x is\n not a function')
    error.stack = [
      'TypeError: x is',
      ' not a function',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
      '    at async checkOnce (file:///app/src/health/check.ts:12:34)',
      '    at file:///app/b.ts:1:2',
    ].join('\n')
    const expected =
      'this is a bug, please report it: TypeError: x is  not a function (in checkOnce, check.ts:12)'
    assert.equal(crashLine(error), expected)
  })

  test('may be anything that was thrown', () => {
    assert.match(crashLine('boom'), /^this is a bug, please report it: Error: boom/)
  })
})
