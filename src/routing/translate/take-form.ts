import type { Clock } from '../../core/clock.ts'
import { baseName, createFieldCollector, type ClientForm, type FormField } from '../../core/client-form.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { createFileCollector, MAX_FILE_BYTES, tooLarge } from '../../core/form-file.ts'
import { refused as refusedField } from '../../core/form-splice.ts'
import { createFormScan } from '../../core/form-scan.ts'
import type { JsonObject } from '../../core/json.ts'
import type { SentFile } from '../../core/mode.ts'
import type { RelayedForm } from '../../providers/form-request.ts'
import { fieldsAsJson } from '../request/form-fields.ts'
import { readObject } from './read-object.ts'

/** A form, read whole. */
export interface WholeForm {
  /** Its fields that stood too late to be in the plan, as JSON. */
  readonly late: JsonObject
  readonly file: SentFile | undefined
}

/** A form of which more is still to come. */
export interface ComingForm {
  readonly whole: Promise<WholeForm>
  /** Nobody waits for it any more. */
  stop(): void
}

/** Of a form, besides its file. */
const MAX_FIELD_BYTES = 1024 * 1024
/** The file of a transcription. */
const FILE = 'file'

/**
 * Reads a client's form to its end: at once where all of it is held, else as the client sends it, within `timeoutMs`.
 * @throws GatewayError bad_request (the client's doing): a file too large to be held (413), a field that must not come
 */
export function takeForm(
  relayed: RelayedForm,
  timeoutMs: number,
  clock: Pick<Clock, 'after'>,
): WholeForm | ComingForm {
  const { form } = relayed
  const { rest, sizeBytes = 0, held } = form
  if (sizeBytes > MAX_FILE_BYTES + MAX_FIELD_BYTES) throw tooLarge(FILE)
  const reader = createReader(relayed)
  reader.push(held)
  return rest === undefined ? reader.end() : coming(rest, reader, timeoutMs, clock)
}

interface Reader {
  push(chunk: Buffer): void
  end(): WholeForm
}

function createReader({ form, removed, refused }: RelayedForm): Reader {
  const scan = createFormScan(form.boundary)
  const fields = createFieldCollector()
  const file = createFileCollector(FILE)
  return {
    push: (chunk) => {
      for (const piece of scan.push(chunk)) {
        fields.take(piece)
        file.take(piece)
      }
    },
    end: () => {
      scan.end()
      const late = fields
        .fields()
        .filter(({ name, text }, at) => !removed.has(baseName(name)) && isNews(form.fields[at], text))
      const bad = late.map(({ name }) => baseName(name)).find((name) => refused.has(name))
      if (bad !== undefined) throw refusedField(bad)
      return { late: late.length === 0 ? {} : readObject(fieldsAsJson(late)), file: file.file() }
    },
  }
}

/** What was not known when the plan was made. */
function isNews(early: FormField | undefined, text: string | undefined): boolean {
  return early === undefined || (early.text === undefined && text !== undefined)
}

function coming(
  rest: NonNullable<ClientForm['rest']>,
  reader: Reader,
  timeoutMs: number,
  clock: Pick<Clock, 'after'>,
): ComingForm {
  let stop = (): void => {}
  const whole = new Promise<WholeForm>((resolve, reject) => {
    let isOver = false
    let flow: { stop(): void } | undefined
    stop = (): void => {
      isOver = true
      cancelTimer()
      flow?.stop()
    }
    const guarded = (run: () => void): boolean => {
      if (isOver) return true
      try {
        run()
      } catch (error) {
        stop()
        reject(asGatewayError(error))
      }
      return true
    }
    const cancelTimer = clock.after(timeoutMs, () => guarded(() => outOfTime(timeoutMs)))
    flow = rest.take({
      data: (chunk) => guarded(() => reader.push(chunk)),
      end: () =>
        guarded(() => {
          const read = reader.end()
          stop()
          resolve(read)
        }),
      fail: (error) =>
        guarded(() => {
          throw error
        }),
    })
    if (isOver) flow.stop()
  })
  return { whole, stop: () => stop() }
}

function outOfTime(timeoutMs: number): never {
  throw new GatewayError('bad_request', `The form was not whole within ${timeoutMs} ms.`, {
    status: 408,
    source: 'client',
    param: 'request_body',
  })
}
