import type { Call } from './call.ts'
import { FORMS, PURPOSES, SOUND_EXTENSIONS } from './form-fields.ts'
import type { FormTable } from './form-fields.ts'
import { formField } from './multipart.ts'
import type { Form, Part } from './multipart.ts'
import { openaiError } from './reply.ts'
import type { Reply } from './reply.ts'

/** Shortest sound a transcription takes (OpenAI, speech to text guide). */
const MIN_SOUND_SECONDS = 0.1

/** The refusal of a form, or undefined for a good one. */
export function refuseForm(call: Call, strict: boolean): Reply | undefined {
  const { form, route } = call
  const table = FORMS[route.operation]
  if (form === undefined || table === undefined)
    return openaiError(400, { message: 'Could not parse multipart form' })
  for (const name of table.required) {
    if (name === 'model' && route.deploymentInPath) continue
    const part = form.parts.find((each) => baseName(each) === name)
    if (part === undefined || (part.filename === undefined && part.bytes.length === 0)) return missing(name)
  }
  return (
    (strict ? refuseUnknown(form, table) : undefined) ??
    (route.operation === 'upload' ? refuseUpload(form) : refuseFiles(form))
  )
}

function baseName({ name }: Part): string {
  return name.endsWith('[]') ? name.slice(0, -2) : name
}

function missing(name: string): Reply {
  return openaiError(400, {
    message: `Missing required parameter: '${name}'.`,
    param: name,
    code: 'missing_required_parameter',
  })
}

function refuseUpload(form: Form): Reply | undefined {
  const purpose = formField(form, 'purpose') ?? ''
  const filename = form.parts.find((part) => part.name === 'file')?.filename
  if (!PURPOSES.includes(purpose)) {
    const message = `'${purpose}' is not one of [${PURPOSES.map((each) => `'${each}'`).join(', ')}] - 'purpose'`
    return openaiError(400, { message, param: 'purpose' })
  }
  if (filename === undefined) return openaiError(400, { message: 'file must have a filename', param: 'file' })
  if (purpose !== 'batch' || filename.endsWith('.jsonl')) return undefined
  return openaiError(400, { message: 'Invalid file format for Batch API. Must be .jsonl', param: 'file' })
}

function refuseUnknown(form: Form, { fields }: FormTable): Reply | undefined {
  const unknown = form.parts.find((part) => !fields.includes(baseName(part)))
  if (unknown === undefined) return undefined
  const message = `Unknown parameter: '${unknown.name}'.`
  return openaiError(400, { message, param: unknown.name, code: 'unknown_parameter' })
}

function refuseFiles(form: Form): Reply | undefined {
  for (const part of form.parts) {
    const name = baseName(part)
    const refused =
      name === 'file'
        ? refuseSound(part)
        : name === 'image' || name === 'mask'
          ? refuseImage(part)
          : undefined
    if (refused !== undefined) return refused
  }
  return undefined
}

const IMAGE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp']

/** Images are known by the type of their part (OpenAI, error unsupported_file_mimetype). */
function refuseImage({ name, contentType = 'application/octet-stream', bytes }: Part): Reply | undefined {
  if (IMAGE_TYPES.includes(contentType) && bytes.length > 0) return undefined
  const formats = IMAGE_TYPES.map((type) => `'${type}'`).join(', ')
  const message = `Invalid file '${name}': unsupported mimetype ('${contentType}'). Supported file formats are ${formats}.`
  return openaiError(400, { message, param: name, code: 'unsupported_file_mimetype' })
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
