import { connect } from 'node:net'
import { createAnswerReader } from './answer-reader.ts'

/** An answer as text. */
export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** One request on a connection of its own; rejects where no whole answer comes in time. */
export function askOnce(port: number, request: Buffer | string, deadlineMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const chunks: Buffer[] = []
    const fail = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(() => fail(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
    const read = createAnswerReader((status, head) => {
      clearTimeout(timer)
      socket.removeAllListeners('close').destroy()
      const text = Buffer.concat(chunks).toString()
      resolve({ status, head, body: text.slice(text.indexOf('\r\n\r\n') + 4) })
    })
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the connection ended without an answer')))
    socket.on('connect', () => socket.write(request))
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      read(chunk)
    })
  })
}
