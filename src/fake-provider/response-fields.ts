const TEXT_OR_LIST = ['string', 'array'] as const
const TEXT_OR_MAP = ['string', 'object'] as const
const TEXT = ['string'] as const
const WHOLE = ['integer'] as const
const NUMBER = ['integer', 'number'] as const
const FLAG = ['boolean'] as const
const LIST = ['array'] as const
const MAP = ['object'] as const

/** What a response is asked for with (OpenAI's API description): nothing else is taken. */
export const RESPONSE_FIELDS = {
  required: ['model', 'input'],
  strict: true,
  types: {
    model: TEXT,
    input: TEXT_OR_LIST,
    instructions: TEXT,
    max_output_tokens: WHOLE,
    max_tool_calls: WHOLE,
    metadata: MAP,
    parallel_tool_calls: FLAG,
    previous_response_id: TEXT,
    reasoning: MAP,
    include: LIST,
    store: FLAG,
    stream: FLAG,
    stream_options: MAP,
    temperature: NUMBER,
    text: MAP,
    tool_choice: TEXT_OR_MAP,
    tools: LIST,
    top_logprobs: WHOLE,
    top_p: NUMBER,
    truncation: TEXT,
    user: TEXT,
    background: FLAG,
    service_tier: TEXT,
    prompt_cache_key: TEXT,
    safety_identifier: TEXT,
  },
  minimum: { max_output_tokens: 16 },
} as const
