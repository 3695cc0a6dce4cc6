import type { Shape } from './shape.ts'

const CACHE_POINT: Shape = { members: { 'type!': { words: ['default'] }, ttl: { words: ['5m', '1h'] } } }
const BYTES: Shape = {
  union: { bytes: 'base64', s3Location: { members: { 'uri!': 'text', bucketOwner: 'text' } } },
}
const IMAGE: Shape = {
  members: { 'format!': { words: ['png', 'jpeg', 'gif', 'webp'] }, 'source!': BYTES },
}
const DOCUMENT: Shape = {
  members: {
    'name!': 'words',
    format: { words: ['pdf', 'csv', 'doc', 'docx', 'xls', 'xlsx', 'html', 'txt', 'md'] },
    'source!': BYTES,
    context: 'text',
    citations: { members: { 'enabled!': 'flag' } },
  },
}
const AUDIO: Shape = {
  members: { 'format!': { words: ['wav', 'mp3', 'flac', 'ogg', 'opus', 'aac', 'm4a'] }, 'source!': BYTES },
}
const TOOL_RESULT: Shape = {
  members: {
    'toolUseId!': 'words',
    'content!': { list: { union: { text: 'words', json: 'object', image: IMAGE, document: DOCUMENT } } },
    status: { words: ['success', 'error'] },
  },
}
const CONTENT: Shape = {
  union: {
    text: 'words',
    image: IMAGE,
    document: DOCUMENT,
    audio: AUDIO,
    toolUse: { members: { 'toolUseId!': 'words', 'name!': 'words', 'input!': 'object' } },
    toolResult: TOOL_RESULT,
    cachePoint: CACHE_POINT,
    reasoningContent: {
      union: {
        reasoningText: { members: { 'text!': 'text', signature: 'text' } },
        redactedContent: 'base64',
      },
    },
  },
}
const TOOL: Shape = {
  union: {
    toolSpec: {
      members: {
        'name!': 'words',
        description: 'words',
        'inputSchema!': { union: { json: 'object' } },
        strict: 'flag',
      },
    },
    cachePoint: CACHE_POINT,
    systemTool: { members: { 'name!': 'words' } },
  },
}
const JSON_SCHEMA: Shape = {
  members: {
    'type!': { words: ['json_schema'] },
    'structure!': {
      union: { jsonSchema: { members: { 'schema!': 'words', name: 'words', description: 'text' } } },
    },
  },
}

/** What is said to a model, and counted as well. */
const TOLD = {
  'messages!': {
    list: {
      members: { 'role!': { words: ['user', 'assistant'] }, 'content!': { list: CONTENT, least: 1 } },
    },
    least: 1,
  },
  system: { list: { union: { text: 'words', cachePoint: CACHE_POINT } } },
  toolConfig: {
    members: {
      'tools!': { list: TOOL, least: 1 },
      toolChoice: {
        union: { auto: { members: {} }, any: { members: {} }, tool: { members: { 'name!': 'words' } } },
      },
    },
  },
  additionalModelRequestFields: 'object',
} satisfies Readonly<Record<string, Shape>>

/** CountTokens (the same client, `CountTokensRequest`). */
export const COUNT_TOKENS: Shape = {
  members: {
    'input!': {
      union: { converse: { members: TOLD }, invokeModel: { members: { 'body!': 'base64' } } },
    },
  },
}

/** Converse and ConverseStream (the client of AWS, `ConverseRequest`, version 3.1164.0). */
export const CONVERSE: Shape = {
  members: {
    ...TOLD,
    inferenceConfig: {
      members: {
        maxTokens: 'number',
        temperature: 'number',
        topP: 'number',
        stopSequences: { list: 'text', least: 1 },
      },
    },
    guardrailConfig: {
      members: {
        'guardrailIdentifier!': 'words',
        'guardrailVersion!': 'words',
        trace: { words: ['enabled', 'disabled', 'enabled_full'] },
        streamProcessingMode: { words: ['sync', 'async'] },
      },
    },
    additionalModelResponseFieldPaths: { list: 'text' },
    promptVariables: 'object',
    requestMetadata: 'object',
    performanceConfig: { members: { latency: { words: ['standard', 'optimized'] } } },
    serviceTier: { members: { 'type!': { words: ['default', 'flex', 'priority', 'reserved'] } } },
    outputConfig: {
      members: { textFormat: JSON_SCHEMA, effort: { words: ['low', 'medium', 'high', 'xhigh', 'max'] } },
    },
  },
}

/** What models know beyond Converse, by their vendor; the others know nothing more. */
export const MODEL_FIELDS: readonly (readonly [RegExp, Shape])[] = [
  [
    /^anthropic\./,
    {
      members: {
        thinking: {
          members: { 'type!': { words: ['enabled', 'adaptive', 'disabled'] }, budget_tokens: 'number' },
        },
        tool_choice: 'object',
        top_k: 'number',
        anthropic_beta: { list: 'text' },
      },
    },
  ],
  [
    /^amazon\.nova/,
    {
      members: {
        inferenceConfig: { members: { 'topK!': 'number' } },
        reasoningConfig: {
          members: {
            'type!': { words: ['enabled', 'disabled'] },
            maxReasoningEffort: { words: ['low', 'medium', 'high'] },
          },
        },
      },
    },
  ],
  [/^openai\./, { members: { reasoning_effort: { words: ['low', 'medium', 'high'] } } }],
  [/./, { members: {} }],
]

/** Bodies of InvokeModel, each family's own. */
export const INVOKED: readonly (readonly [RegExp, Shape])[] = [
  [/^amazon\.titan-embed-text-v1/, { members: { 'inputText!': 'words' } }],
  [
    /^amazon\.titan-embed-text-v2/,
    {
      members: {
        'inputText!': 'words',
        dimensions: 'number',
        normalize: 'flag',
        embeddingTypes: { list: { words: ['float', 'binary'] } },
      },
    },
  ],
  [
    /^cohere\.embed/,
    {
      members: {
        texts: { list: 'text', least: 1 },
        'input_type!': { words: ['search_document', 'search_query', 'classification', 'clustering'] },
        truncate: { words: ['NONE', 'START', 'END', 'LEFT', 'RIGHT'] },
        embedding_types: { list: 'text' },
        output_dimension: 'number',
      },
    },
  ],
  [
    /^amazon\.(nova-canvas|titan-image)/,
    {
      members: {
        'taskType!': { words: ['TEXT_IMAGE'] },
        'textToImageParams!': { members: { 'text!': 'words', negativeText: 'words', style: 'words' } },
        imageGenerationConfig: {
          members: {
            width: 'number',
            height: 'number',
            quality: { words: ['standard', 'premium'] },
            cfgScale: 'number',
            seed: 'number',
            numberOfImages: 'number',
          },
        },
      },
    },
  ],
  [
    /^stability\./,
    {
      members: {
        'prompt!': 'words',
        mode: { words: ['text-to-image'] },
        aspect_ratio: { words: ['16:9', '1:1', '21:9', '2:3', '3:2', '4:5', '5:4', '9:16', '9:21'] },
        negative_prompt: 'text',
        output_format: { words: ['jpeg', 'png', 'webp'] },
        seed: 'number',
      },
    },
  ],
]

/** Rerank (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html) */
export const RERANK: Shape = {
  members: {
    'queries!': {
      list: { members: { 'type!': { words: ['TEXT'] }, 'textQuery!': { members: { 'text!': 'words' } } } },
      least: 1,
    },
    'sources!': {
      list: {
        members: {
          'type!': { words: ['INLINE'] },
          'inlineDocumentSource!': {
            members: {
              'type!': { words: ['TEXT', 'JSON'] },
              textDocument: { members: { 'text!': 'words' } },
              jsonDocument: 'object',
            },
          },
        },
      },
      least: 1,
    },
    'rerankingConfiguration!': {
      members: {
        'type!': { words: ['BEDROCK_RERANKING_MODEL'] },
        'bedrockRerankingConfiguration!': {
          members: {
            numberOfResults: 'number',
            'modelConfiguration!': {
              members: { 'modelArn!': 'words', additionalModelRequestFields: 'object' },
            },
          },
        },
      },
    },
    nextToken: 'text',
  },
}
