import type { IncomingMessage } from 'node:http'
import { boundaryOf, createFieldCollector } from '../core/client-form.ts'
import type { ClientForm, FormRest, RestSink } from '../core/client-form.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { createFormScan } from '../core/form-scan.ts'
import type { FormScan } from '../core/form-scan.ts'
import { createBodyBuilder } from './body-builder.ts'
import type { BodyBuilder } from './body-builder.ts'
import { announcedBytes, gone, refusalOfHead, tooLarge } from './read-body.ts'

/** Told once: the form, as far as it is to be read before anybody is asked, or why there is none. */
export type FormReader = (form: ClientForm | GatewayError) => void

/** How much of a form may be read, and what must be found in it first. */
export interface FormLimits {
  /** Of the whole form. */
  readonly maxBytes: number
  /** Without this field nobody can be asked; absent: the first bytes will do. */
  readonly wanted?: string
}

/** A form up to this size is held whole, so that it can be sent again as JSON can. Of a larger one this much is. */
export const MAX_HELD_BYTES = 4 * 1024 * 1024
/**
 * More is held only while the wanted field has not come: many clients send the file first. OpenAI takes sound of up
 * to 25 MB, so that any transcription it would take gets through in any order.
 */
export const MAX_SEARCHED_BYTES = 32 * 1024 * 1024

/**
 * Reads a form: to its end where it is small, else until enough is held; the rest then waits at the client until it is
 * asked for. How long a client may take is bounded by the server's request timeout.
 */
export function readForm(request: IncomingMessage, limits: FormLimits, done: FormReader): void {
  const contentType = request.headers['content-type'] ?? ''
  const refused = refusalOfHead(request, limits.maxBytes)
  if (refused !== undefined) {
    done(refused)
    return
  }
  const form = orError(() => createHeldForm(contentType, announcedBytes(request), limits))
  if (form instanceof GatewayError) {
    done(form)
    return
  }
  const rest = createRest(request)
  let bytes = 0
  /** Undefined once it was told. */
  let tell: FormReader | undefined = done
  const finish = (result: ClientForm | GatewayError): void => {
    const told = tell
    tell = undefined
    form.drop()
    told?.(result)
  }
  const fail = (error: GatewayError): void => {
    if (tell === undefined) rest.fail(error)
    else finish(error)
  }
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > limits.maxBytes) fail(tooLarge(limits.maxBytes))
    else if (tell === undefined) {
      weigh(chunk)
      rest.data(chunk)
    } else {
      const result = orError(() => (form.add(chunk) ? form.upTo(rest) : undefined))
      if (result === undefined) return
      request.pause()
      finish(result)
    }
  })
  request.on('end', () => {
    if (tell === undefined) rest.end()
    else finish(orError(() => form.whole()))
  })
  request.on('error', (error) => fail(gone(error)))
  // Closes after every request, and an error costs as much as reading it did: it is made only where it is meant.
  request.on('close', () => {
    if (tell !== undefined || rest.isWanted()) fail(gone())
  })
}

/**
 * Makes as much garbage in V8's young generation as the chunk is large. V8 looks after its own heap, where a chunk
 * weighs next to nothing: it lets 64 MB of those that have been passed on pile up outside of it, and then collects the
 * whole heap. This way it notices every few MB that they are gone, at little cost: a form of 100 MB takes 25 to 45 MB
 * in place of 80, and two thirds of the time (Node 24.21).
 */
function weigh(chunk: Buffer): void {
  chunk.toString('latin1')
}

function orError<Result>(make: () => Result): Result | GatewayError {
  try {
    return make()
  } catch (error) {
    return asGatewayError(error)
  }
}

/** What is read of a form before anybody is asked. */
interface HeldForm {
  /** True where enough is there. */
  add(chunk: Buffer): boolean
  whole(): ClientForm
  upTo(rest: FormRest): ClientForm
  drop(): void
}

function createHeldForm(contentType: string, announced: number, { wanted }: FormLimits): HeldForm {
  const boundary = boundaryOf(contentType)
  const scan: FormScan = createFormScan(boundary)
  const collector = createFieldCollector()
  const body: BodyBuilder = createBodyBuilder(announced <= MAX_SEARCHED_BYTES ? announced : Number.NaN)
  const hasWanted = (): boolean =>
    wanted === undefined || collector.fields().some(({ name, text }) => name === wanted && text !== undefined)
  const common = (): Omit<ClientForm, 'sizeBytes'> => ({
    contentType,
    boundary,
    held: body.whole(),
    fields: collector.fields(),
  })
  return {
    add: (chunk) => {
      for (const piece of scan.push(chunk)) collector.take(piece)
      const bytes = body.add(chunk)
      // An announced end that is in sight is waited for: whole, it can be sent again.
      if (bytes < MAX_HELD_BYTES || announced <= MAX_HELD_BYTES) return false
      if (hasWanted()) return bytes !== announced
      if (bytes <= MAX_SEARCHED_BYTES) return false
      throw lacking(wanted ?? '')
    },
    whole: () => {
      scan.end()
      const form = common()
      return { ...form, sizeBytes: form.held.length }
    },
    upTo: (rest) => ({ ...common(), rest, ...(!Number.isNaN(announced) && { sizeBytes: announced }) }),
    drop: () => body.drop(),
  }
}

function lacking(name: string): GatewayError {
  const message =
    `The first ${MAX_SEARCHED_BYTES} bytes of the form hold no '${name}': put '${name}' before the file, ` +
    `or name it in the URL, as in /openai/deployments/{${name}}/…`
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param: name })
}

/** What comes of a form after it was handed on: to whoever asked for it, else nowhere. */
function createRest(request: IncomingMessage): FormRest & RestSink & { isWanted(): boolean } {
  let isTaken = false
  let sink: RestSink | undefined
  return {
    isTaken: () => isTaken,
    isWanted: () => sink !== undefined,
    take: (taker) => {
      if (isTaken) throw new GatewayError('internal', 'the rest of a form was asked for twice')
      isTaken = true
      sink = taker
      request.resume()
      return {
        resume: () => request.resume(),
        stop: () => {
          sink = undefined
          request.pause()
        },
      }
    },
    data: (chunk) => {
      if (sink?.data(chunk) === false) request.pause()
      return true
    },
    end: () => {
      sink?.end()
      sink = undefined
    },
    fail: (error) => {
      sink?.fail(error)
      sink = undefined
    },
  }
}
