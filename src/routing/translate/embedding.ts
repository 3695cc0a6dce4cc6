import type { Json } from '../../core/json.ts'
import type { Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'

/**
 * Embeddings: one text or several, and vectors in the form asked for
 * (https://platform.openai.com/docs/api-reference/embeddings/create). OpenAI's own clients ask for base64.
 */
export const EMBEDDING_TRANSLATION: Translation<'embedding'> = {
  read: (body) => {
    const { input } = body
    const texts: readonly unknown[] = Array.isArray(input) ? input : [input]
    if (texts.length === 0) throw refuse("'input' must not be empty.", 'input')
    if (!texts.every(isText)) {
      throw refuse("'input' must be a text or a list of texts: this provider takes no tokens.", 'input')
    }
    return { ...body, input: texts }
  },
  answer: ({ vectors, model, usage }, request) => {
    const write = request['encoding_format'] === 'base64' ? toBase64 : toNumbers
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: write(vector) })),
      model: model ?? null,
      usage: usage ?? { prompt_tokens: 0, total_tokens: 0 },
    }
  },
  isWanted: () => true,
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Little-endian 32-bit floats, as OpenAI's. */
function toBase64(vector: string | readonly number[]): Json {
  if (typeof vector === 'string') return vector
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}

function toNumbers(vector: string | readonly number[]): Json {
  if (typeof vector !== 'string') return vector
  const bytes = Buffer.from(vector, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}
