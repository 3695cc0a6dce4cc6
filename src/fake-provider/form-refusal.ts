import type { Call } from './call.ts'
import { PURPOSES, SOUND_EXTENSIONS, TRANSCRIPTION_FIELDS, UPLOAD_FIELDS } from './fields.ts'
import { formField } from './multipart.ts'
import type { Form, Part } from './multipart.ts'
import { openaiError } from './reply.ts'
import type { Reply } from './reply.ts'

/** Shortest sound a transcription takes (OpenAI, speech to text guide). */
const MIN_SOUND_SECONDS = 0.1

/** The refusal of a form, or undefined for a good one. */
export function refuseForm(call: Call, strict: boolean): Reply | undefined {
  const form = call.form
  if (form === undefined) return openaiError(400, { message: 'Could not parse multipart form' })
  const file = form.parts.find((part) => part.name === 'file')
  if (file === undefined) return missing('file')
  if (call.route.operation === 'upload')
    return (strict ? refuseUnknown(form, UPLOAD_FIELDS) : undefined) ?? refuseUpload(form, file)
  if (!call.route.deploymentInPath && !formField(form, 'model')) return missing('model')
  return (strict ? refuseUnknown(form, TRANSCRIPTION_FIELDS) : undefined) ?? refuseSound(file)
}

function missing(name: string): Reply {
  return openaiError(400, {
    message: `Missing required parameter: '${name}'.`,
    param: name,
    code: 'missing_required_parameter',
  })
}

function refuseUpload(form: Form, file: Part): Reply | undefined {
  const purpose = formField(form, 'purpose')
  if (purpose === undefined) return missing('purpose')
  if (!PURPOSES.includes(purpose)) {
    const message = `'${purpose}' is not one of [${PURPOSES.map((each) => `'${each}'`).join(', ')}] - 'purpose'`
    return openaiError(400, { message, param: 'purpose' })
  }
  if (file.filename === undefined)
    return openaiError(400, { message: 'file must have a filename', param: 'file' })
  if (purpose !== 'batch' || file.filename.endsWith('.jsonl')) return undefined
  return openaiError(400, { message: 'Invalid file format for Batch API. Must be .jsonl', param: 'file' })
}

function refuseUnknown(form: Form, known: readonly string[]): Reply | undefined {
  const unknown = form.parts.find((part) => !known.includes(part.name))
  if (unknown === undefined) return undefined
  const message = `Unknown parameter: '${unknown.name}'.`
  return openaiError(400, { message, param: unknown.name, code: 'unknown_parameter' })
}

function refuseSound(file: Part): Reply | undefined {
  const extension = /\.([a-z0-9]+)$/i.exec(file.filename ?? '')?.[1]?.toLowerCase()
  if (extension === undefined || !SOUND_EXTENSIONS.includes(extension)) {
    const formats = SOUND_EXTENSIONS.map((name) => `'${name}'`).join(', ')
    return openaiError(400, {
      message: `Unrecognized file format. Supported formats: [${formats}]`,
      param: 'file',
    })
  }
  if (extension !== 'wav') return file.bytes.length === 0 ? corrupted() : undefined
  const seconds = wavSeconds(file.bytes)
  if (seconds === undefined) return corrupted()
  if (seconds >= MIN_SOUND_SECONDS) return undefined
  const message = `Audio file is too short. Minimum audio length is ${MIN_SOUND_SECONDS} seconds.`
  return openaiError(400, { message, param: 'file', code: 'audio_too_short' })
}

function corrupted(): Reply {
  return openaiError(400, {
    message: 'Audio file might be corrupted or unsupported',
    param: 'file',
    code: 'invalid_value',
  })
}

/** How long a RIFF/WAVE sound is; undefined where it is none. */
function wavSeconds(bytes: Buffer): number | undefined {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE')
    return undefined
  let bytesPerSecond = 0
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    if (id === 'fmt ' && at + 20 <= bytes.length) bytesPerSecond = bytes.readUInt32LE(at + 16)
    if (id === 'data')
      return bytesPerSecond === 0 ? undefined : Math.min(size, bytes.length - at - 8) / bytesPerSecond
    at += 8 + size + (size % 2)
  }
  return undefined
}
