import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { createAnswerReader } from '../bench/answer-reader.ts'
import { askOnce } from '../bench/ask-once.ts'
import { createFrameReader, frameBytes, TEXT, type Frame } from '../bench/frames.ts'
import { closedLoop, LATE_MS, openLoop } from '../bench/loops.ts'
import { chatRequest } from '../bench/messages.ts'
import { aborts, sessions, streams } from '../bench/streams.ts'

test('an answer is found whole however it is cut, with a length or in chunks', () => {
  const plain = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
  const empty = 'HTTP/1.1 503 No\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n'
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
  for (const answer of [plain, empty, chunked])
    for (let cut = 1; cut < answer.length; cut++) {
      const seen: number[] = []
      const read = createAnswerReader((status) => seen.push(status))
      for (let round = 0; round < 2; round++) {
        read(Buffer.from(answer.slice(0, cut)))
        read(Buffer.from(answer.slice(cut)))
      }
      const status = Number(answer.slice(9, 12))
      assert.deepEqual(seen, [status, status], `cut at ${cut} of ${JSON.stringify(answer)}`)
    }
})

test('frames are read as they were written, however they are cut, masked or not', () => {
  for (const size of [0, 1, 125, 126, 1000])
    for (const isMasked of [true, false]) {
      const frame: Frame = { opcode: TEXT, payload: Buffer.alloc(size, 'x') }
      const bytes = Buffer.concat([frameBytes(frame, isMasked), frameBytes(frame, isMasked)])
      for (let cut = 0; cut <= bytes.length; cut++) {
        const seen: string[] = []
        const read = createFrameReader(({ opcode, payload }) => seen.push(`${opcode} ${payload.toString()}`))
        read(bytes.subarray(0, cut))
        read(bytes.subarray(cut))
        assert.deepEqual(seen, [`1 ${'x'.repeat(size)}`, `1 ${'x'.repeat(size)}`])
      }
    }
})

/** A server of raw sockets that is gone when the test is; `answer` is called for each request. */
async function withDouble<Result>(
  answer: (socket: Socket, request: number) => void,
  use: (port: number) => Promise<Result>,
): Promise<Result> {
  let requests = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => answer(socket, requests++))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  try {
    return await use(address !== null && typeof address === 'object' ? address.port : 0)
  } finally {
    sockets.forEach((socket) => socket.destroy())
    server.close()
  }
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
const LATER = 'HTTP/1.1 503 Busy\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n'
const RUDE = 'HTTP/1.1 429 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

test('a closed loop tells good answers, refusals and torn connections apart, and comes back', async () => {
  const answers = [OK, LATER, RUDE, undefined]
  let asked = 0
  const seen = await withDouble(
    (socket, request) => {
      asked++
      const next = answers[request % answers.length]
      if (next === undefined) socket.destroy()
      else socket.write(next)
    },
    (port) => closedLoop({ port, task }, task),
  )
  const { loop } = seen
  assert.ok(loop !== undefined && seen.units > 3, JSON.stringify(seen))
  assert.equal(loop.begun, asked)
  const { 503: later = 0, 429: rude = 0 } = loop.refused
  assert.equal(seen.units + later + rude + loop.broken, asked)
  assert.equal(loop.retryAfter, later)
  assert.ok(Math.abs(later - rude) <= 1 && Math.abs(seen.units - loop.broken) <= 1)
  assert.equal(seen.failures, later + rude + loop.broken)
})
const task = { how: 'closed', kind: 'small', connections: 1, durationMs: 150 } as const

test('an open loop begins what is planned, whatever the answers do', async () => {
  // As many connections as requests: however late the generator wakes, one is free.
  const order = { how: 'open', kind: 'small', connections: 100, durationMs: 200, perSecond: 500 } as const
  const seen = await withDouble(
    (socket) => socket.write(OK),
    (port) => openLoop({ port, task: order }, order),
  )
  assert.equal(seen.units, 100)
  assert.equal(seen.failures, 0)
  assert.equal(seen.loop?.begun, 100)
})

test('an open loop holds no more than its connections; late ones are timed from their planned moment', async () => {
  const order = { how: 'open', kind: 'small', connections: 2, durationMs: 200, perSecond: 500 } as const
  let inFlight = 0
  let most = 0
  const seen = await withDouble(
    (socket) => {
      inFlight++
      most = Math.max(most, inFlight)
      setTimeout(() => {
        inFlight--
        socket.write(OK)
      }, 40)
    },
    (port) => openLoop({ port, task: order }, order),
  )
  const { loop } = seen
  assert.ok(loop !== undefined)
  assert.equal(most, 2)
  assert.ok(loop.begun >= 2 && loop.begun <= 12, `${loop.begun} begun`)
  assert.equal(loop.begun + loop.neverBegun, 100)
  // All but the first two found both connections taken.
  assert.ok(loop.late > 0 && loop.late + loop.lateByGenerator >= loop.begun - 2, JSON.stringify(loop))
  // Answered in 40 ms, but planned long before the connection was free.
  assert.ok(seen.p99Us / 1000 > 40 + LATE_MS, `${seen.p99Us} µs`)
  assert.equal(seen.failures, loop.neverBegun)
})

const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const LAST = 'e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n'

test('a stream counts where it ended as it should', async () => {
  const ends = [LAST, '3\r\n: x\r\n0\r\n\r\n', undefined]
  const seen = await withDouble(
    (socket, request) => {
      socket.write(STREAM_HEAD)
      const end = ends[request % ends.length]
      if (end === undefined) socket.destroy()
      else socket.write(end)
    },
    (port) => {
      const order = { how: 'streams', connections: 6 } as const
      return streams({ port, task: order }, order)
    },
  )
  assert.deepEqual([seen.units, seen.failures], [400, 4])
})

test('an abort leaves at the first bytes, and only a good beginning counts', async () => {
  const order = { how: 'aborts', connections: 2, durationMs: 80 } as const
  let left = 0
  const seen = await withDouble(
    (socket, request) => {
      socket.once('close', () => left++)
      socket.write(request === 0 ? LATER : STREAM_HEAD)
    },
    (port) => aborts({ port, task: order }, order),
  )
  assert.equal(seen.failures, 1)
  assert.ok(seen.units >= 2)
  assert.ok(left >= seen.units - 2, `${left} of ${seen.units}`)
})

test('sessions are counted by what another implementation says back', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  let heard = 0
  server.on('connection', (client) => {
    client.ping()
    client.on('message', (data, binary) => {
      heard++
      client.send(data, { binary })
    })
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const order = { how: 'sessions', connections: 3, durationMs: 80 } as const
  try {
    const seen = await sessions({ port, task: order }, order)
    assert.equal(seen.failures, 0)
    assert.equal(seen.units, heard * 2)
    assert.ok(heard >= 3)
  } finally {
    server.clients.forEach((client) => client.terminate())
    server.close()
  }
})

test('asking once gives the answer as text, or says why there is none', async () => {
  await withDouble(
    (socket) => socket.write(OK),
    async (port) => {
      const { status, body } = await askOnce(port, chatRequest('small', port), 1000)
      assert.deepEqual([status, body], [200, '{}'])
    },
  )
  await withDouble(
    (socket) => socket.destroy(),
    (port) => assert.rejects(askOnce(port, chatRequest('small', port), 1000), /ended without an answer/),
  )
})
