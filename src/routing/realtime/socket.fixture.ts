import { EventEmitter } from 'node:events'
import type { OpenSocket } from '../../core/web-socket.ts'

/** A socket without a network: what is done to it is written down, and its peer is the test. */
export class FakeSocket extends EventEmitter implements OpenSocket {
  bufferedAmount = 0
  readonly done: string[] = []
  flush = (): void => {}

  send(data: Buffer, { binary }: { readonly binary: boolean }, flushed: () => void): void {
    this.done.push(`${binary ? 'bytes' : 'text'} ${data.toString()}`)
    this.flush = flushed
  }
  ping(): void {
    this.done.push('ping')
  }
  pause(): void {
    this.done.push('pause')
  }
  resume(): void {
    this.done.push('resume')
  }
  close(code?: number, reason?: string): void {
    this.done.push(`close ${code ?? 'without a code'} ${reason ?? ''}`.trim())
  }
  terminate(): void {
    this.done.push('terminate')
    this.emit('close', 1006, Buffer.alloc(0))
  }
  /** What was done since the last look. */
  news(): readonly string[] {
    return this.done.splice(0)
  }
}
