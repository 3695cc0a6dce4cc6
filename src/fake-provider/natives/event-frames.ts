import { crc32 } from 'node:zlib'
import type { JsonObject } from '../../core/json.ts'

/** One message of AWS's binary event stream (https://smithy.io/2.0/aws/amazon-eventstream.html). */
export function eventFrame(kind: string, event: JsonObject): Buffer {
  return frame({ ':event-type': kind, ':content-type': 'application/json', ':message-type': 'event' }, event)
}

/** An exception within a stream. */
export function exceptionFrame(kind: string, message: string): Buffer {
  return frame(
    { ':exception-type': kind, ':content-type': 'application/json', ':message-type': 'exception' },
    { message },
  )
}

function frame(headers: Readonly<Record<string, string>>, body: JsonObject): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)))
  const payload = Buffer.from(JSON.stringify(body))
  const prelude = numbers(12 + head.length + payload.length + 4, head.length)
  const checked = Buffer.concat([prelude, numbers(crc32(prelude)), head, payload])
  return Buffer.concat([checked, numbers(crc32(checked))])
}

/** A name and a text, each with its length before it; 7 is the type of texts. */
function header(name: string, value: string): Buffer {
  const text = Buffer.from(value)
  return Buffer.concat([
    Buffer.from([Buffer.byteLength(name)]),
    Buffer.from(name),
    Buffer.from([7, text.length >> 8, text.length & 0xff]),
    text,
  ])
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4)
  return bytes
}
