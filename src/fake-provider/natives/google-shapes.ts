import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json } from '../../core/json.ts'

/** What a JSON value must be like: a type, a list of one kind, a map of one kind (`*`), or an object with these fields. */
export type Shape =
  | 'any'
  | 'string'
  | 'number'
  | 'boolean'
  | (() => Shape)
  | readonly [Shape]
  | { readonly [name: string]: Shape }

/** What is wrong with a value, in the words of Google's JSON parser; undefined where nothing is. */
export function misfit(value: Json | undefined, shape: Shape, path = ''): string | undefined {
  if (shape === 'any' || value === undefined || value === null) return undefined
  if (typeof shape === 'function') return misfit(value, shape(), path)
  if (typeof shape === 'string')
    return typeof value === shape
      ? undefined
      : `Invalid value at '${path}' (${shape}), ${JSON.stringify(value)}`
  if (isList(shape)) {
    if (!Array.isArray(value))
      return `Invalid value at '${path}' (list), ${JSON.stringify(value).slice(0, 80)}`
    return first(value.map((one: Json, at) => misfit(one, shape[0], `${path}[${at}]`)))
  }
  if (!isJsonObject(value))
    return `Invalid value at '${path}' (object), ${JSON.stringify(value).slice(0, 80)}`
  const any = shape['*']
  return first(
    Object.entries(value).map(([name, one]) => {
      const inner = any ?? entryOf(shape, name)
      if (inner !== undefined) return misfit(one, inner, path === '' ? name : `${path}.${name}`)
      const at = path === '' ? '' : ` at '${path}'`
      return `Invalid JSON payload received. Unknown name "${name}"${at}: Cannot find field.`
    }),
  )
}

function isList(shape: Exclude<Shape, string>): shape is readonly [Shape] {
  return Array.isArray(shape)
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((one) => one !== undefined)
}

/** https://ai.google.dev/api/caching#Schema */
const schema = (): Shape => ({
  type: 'string',
  format: 'string',
  title: 'string',
  description: 'string',
  nullable: 'boolean',
  enum: ['string'],
  items: schema,
  maxItems: 'any',
  minItems: 'any',
  properties: { '*': schema },
  required: ['string'],
  maxProperties: 'any',
  minProperties: 'any',
  maxLength: 'any',
  minLength: 'any',
  pattern: 'string',
  example: 'any',
  anyOf: [schema],
  propertyOrdering: ['string'],
  default: 'any',
  minimum: 'number',
  maximum: 'number',
})

export const BLOB = { mimeType: 'string', data: 'string' } as const

/** https://ai.google.dev/api/caching#Content */
export const CONTENT: Shape = {
  role: 'string',
  parts: [
    {
      text: 'string',
      thought: 'boolean',
      thoughtSignature: 'string',
      inlineData: BLOB,
      fileData: { mimeType: 'string', fileUri: 'string' },
      functionCall: { id: 'string', name: 'string', args: { '*': 'any' } },
      functionResponse: {
        id: 'string',
        name: 'string',
        response: { '*': 'any' },
        parts: [{ inlineData: BLOB }],
      },
      videoMetadata: 'any',
      mediaResolution: { level: 'string' },
    },
  ],
}

/** https://ai.google.dev/api/generate-content#generationconfig */
const GENERATION_CONFIG: Shape = {
  stopSequences: ['string'],
  responseMimeType: 'string',
  responseSchema: schema,
  responseJsonSchema: 'any',
  responseModalities: ['string'],
  candidateCount: 'number',
  maxOutputTokens: 'number',
  temperature: 'number',
  topP: 'number',
  topK: 'number',
  seed: 'number',
  presencePenalty: 'number',
  frequencyPenalty: 'number',
  responseLogprobs: 'boolean',
  logprobs: 'number',
  speechConfig: {
    voiceConfig: { prebuiltVoiceConfig: { voiceName: 'string' } },
    multiSpeakerVoiceConfig: 'any',
    languageCode: 'string',
  },
  thinkingConfig: { includeThoughts: 'boolean', thinkingBudget: 'number', thinkingLevel: 'string' },
  imageConfig: { aspectRatio: 'string', imageSize: 'string' },
  mediaResolution: 'string',
}

/** https://ai.google.dev/api/caching#Tool */
export const TOOL: Shape = {
  functionDeclarations: [
    {
      name: 'string',
      description: 'string',
      parameters: schema,
      parametersJsonSchema: 'any',
      response: schema,
      responseJsonSchema: 'any',
    },
  ],
  googleSearch: 'any',
  codeExecution: 'any',
  urlContext: 'any',
}

/** https://ai.google.dev/api/generate-content#request-body */
export const GENERATE = {
  contents: [CONTENT],
  systemInstruction: CONTENT,
  tools: [TOOL],
  toolConfig: { functionCallingConfig: { mode: 'string', allowedFunctionNames: ['string'] } },
  safetySettings: [{ category: 'string', threshold: 'string' }],
  generationConfig: GENERATION_CONFIG,
  cachedContent: 'string',
} satisfies Shape

/** https://ai.google.dev/api/tokens#method:-models.counttokens */
export const COUNT: Shape = {
  contents: [CONTENT],
  generateContentRequest: { model: 'string', ...GENERATE },
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens */
export const VERTEX_COUNT: Shape = {
  model: 'string',
  contents: [CONTENT],
  systemInstruction: CONTENT,
  tools: GENERATE.tools,
  generationConfig: GENERATION_CONFIG,
}

/** https://ai.google.dev/api/embeddings */
export const BATCH_EMBED: Shape = {
  requests: [
    {
      model: 'string',
      content: CONTENT,
      taskType: 'string',
      title: 'string',
      outputDimensionality: 'number',
    },
  ],
}

/** https://ai.google.dev/gemini-api/docs/imagen */
export const IMAGEN: Shape = {
  instances: [{ prompt: 'string' }],
  parameters: {
    sampleCount: 'number',
    aspectRatio: 'string',
    sampleImageSize: 'string',
    personGeneration: 'string',
    negativePrompt: 'string',
    outputOptions: { mimeType: 'string', compressionQuality: 'number' },
  },
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export const VERTEX_EMBED: Shape = {
  instances: [{ content: 'string', task_type: 'string', title: 'string' }],
  parameters: { autoTruncate: 'boolean', outputDimensionality: 'number' },
}
