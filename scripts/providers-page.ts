import { MODES } from '../src/core/mode.ts'
import type { Mode } from '../src/core/mode.ts'
import type { ProviderAdapter, Refused } from '../src/providers/adapter.ts'
import { NOT_BUILT } from '../src/providers/not-built.ts'
import type { CompatibleRow } from '../src/providers/openai-compatible/row.ts'
import { COMPATIBLE_ROWS } from '../src/providers/openai-compatible/rows.ts'
import { allAdapters } from '../src/providers/registry.ts'
import { providerFacts } from './provider-facts.ts'
import type { ProviderFacts } from './provider-facts.ts'

const ADAPTERS = await allAdapters()

/** docs/providers.md. */
export function providersPage(): string {
  const adapters = ADAPTERS.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const facts = adapters.map(providerFacts)
  return [
    INTRODUCTION,
    ...facts.map(served),
    '',
    ADDRESSES,
    ...facts.map(placed),
    '',
    BEDROCK,
    '',
    VERTEX,
    '',
    REPLICATE,
    '',
    TOKENS,
    '',
    WORDS,
    ...adapters.flatMap(worded),
    '',
    NOT_BUILT_YET,
    '',
    [...NOT_BUILT]
      .sort()
      .map((id) => `\`${id}/\``)
      .join(', '),
    '',
  ].join('\n')
}

function served({ id, modes, partly, streams, tools, free, auth }: ProviderFacts): string {
  const yes = (is: boolean | undefined): string => (is === undefined ? '–' : is ? 'yes' : 'no')
  const looks = (free?.looks ?? []).map((each) => `\`${each}\``).join(', ')
  const look = free === undefined ? '–' : `${looks}${free.isPublic ? ' (not of the key)' : ''}`
  const some = partly.map(({ mode, models }) => `; ${mode} of ${models} alone`).join('')
  return row([`\`${id}/\``, modesText(modes) + some, yes(streams), yes(tools), look, auth])
}

/** Short where a provider has nearly all of them. */
function modesText(modes: readonly Mode[]): string {
  const lacking = MODES.filter((mode) => !modes.includes(mode))
  if (lacking.length === 0) return 'all'
  return lacking.length < modes.length ? `all but ${lacking.join(', ')}` : modes.join(', ')
}

function placed({ id, base, baseEnv, keyEnv, alsoEnv, isKeyless }: ProviderFacts): string {
  const place = codes([...baseEnv, ...(base === undefined ? [] : [base])])
  const key = keyEnv.length === 0 ? '–' : `${codes(keyEnv)}${isKeyless ? ' (optional)' : ''}`
  return row([`\`${id}/\``, place, key, codes(alsoEnv)])
}

/** Only providers of which there is something to say. */
function worded({ id, refuses = [] }: ProviderAdapter): readonly string[] {
  const { renames = {}, thoughts }: Partial<CompatibleRow> =
    COMPATIBLE_ROWS.find((one) => one.id === id) ?? {}
  const renamed = Object.entries(renames).map(([from, to]) => `\`${from}\` → \`${to}\``)
  if (renamed.length === 0 && refuses.length === 0 && thoughts === undefined) return []
  return [
    row([
      `\`${id}/\``,
      renamed.join(', '),
      refuses.map(refusedText).join('; '),
      codes([thoughts ?? []].flat()),
    ]),
  ]
}

function refusedText({ fields, of, models = 'reasoning models' }: Refused): string {
  return `${codes(fields)}${of === undefined ? '' : ` (${models})`}`
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => (cell === '' ? '–' : cell)).join(' | ')} |`
}

function codes(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}

const INTRODUCTION = `<!-- Written by scripts/generate.ts from src/providers. Do not edit. -->
# Providers

The prefix of \`litellm_params.model\` names the provider: \`groq/llama-3.1-8b-instant\`. So does
\`custom_llm_provider\`, the host of \`api_base\`, and a well-known name without prefix (\`gpt-4o\`, \`command-r\`).
A server that is not listed is reached as \`openai/<model>\` with an \`api_base\`.

## What each one serves

Every mode that is listed is probed, and served to clients (of Google's realtime, [Gemini Live](realtime.md#gemini-live), in
OpenAI's words): the modes are those of [health.md](health.md). Of providers that speak OpenAI's words a mode is left out only where it is known to be missing. The *free look* is what the
background asks between paid probes, below \`api_base\`; it counts as proof of the key unless it is said not to, and where
there is none every look is a probe. An engine that loads models when they are asked (Ollama) is looked at twice: is the model
there, and is it loaded; while it is not, the background asks for no answer, so that no check loads it. \`health_check_rung\` takes \`golden\` with chat and completion, \`minimal\` with every
mode, and \`free\` where there is a free look.

| provider | modes | streams | tools | free look | the key is sent as |
|---|---|---|---|---|---|`

const ADDRESSES = `## Addresses and keys

\`api_key\` and \`api_base\` of the deployment come first, then these variables in their order, then the provider's own
address. Where there is none, \`api_base\` or a variable is required.

| provider | address | key | also read |
|---|---|---|---|`

const BEDROCK = `## Amazon Bedrock

A model is written as \`bedrock/<id>\`, \`bedrock/<region>/<id>\` or \`bedrock/converse/<id>\`, or by its id alone;
\`bedrock/invoke/<id>\` speaks to claudes in Anthropic's words whoever asks, all others but \`bedrock/converse/<id>\` where a
client does: [\`/v1/messages\`](surfaces.md#claude-on-bedrock-and-vertex-ai). An id is that of a model
(\`anthropic.claude-3-sonnet-20240229-v1:0\`), of an inference profile (\`us.…\`, \`eu.…\`, \`global.…\`), or an ARN, with \`:\` and
\`/\` or \`%3A\` and \`%2F\`. \`model_id\` names another one to be asked. Chat goes by Converse, embeddings (Titan, Nova, Cohere)
and pictures (Nova Canvas, Titan, Stability) by InvokeModel, reranking by the agent runtime.

- The address: \`api_base\`, \`aws_bedrock_runtime_endpoint\`, the variables, the region's.
- The region: \`aws_region_name\`, the model's own, \`AWS_REGION_NAME\`, \`AWS_REGION\`, \`AWS_DEFAULT_REGION\`, the profile's, else
  \`us-west-2\`.
- A key of Bedrock's own (\`api_key\`, \`AWS_BEARER_TOKEN_BEDROCK\`) wins over all others, but Bedrock takes none for reranking.
- Else requests are signed with \`aws_access_key_id\`, \`aws_secret_access_key\` and \`aws_session_token\`; the profile
  \`aws_profile_name\`; the same three of the environment; the profile of \`AWS_PROFILE\` or \`AWS_DEFAULT_PROFILE\`, else
  \`default\`; those of a container (\`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI\`, \`AWS_CONTAINER_CREDENTIALS_FULL_URI\`,
  \`AWS_CONTAINER_AUTHORIZATION_TOKEN\`, \`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\`); or those of an instance
  (\`AWS_EC2_METADATA_DISABLED\`, \`AWS_EC2_METADATA_SERVICE_ENDPOINT\`, \`AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE\`). A web
  token (\`AWS_WEB_IDENTITY_TOKEN_FILE\`, \`AWS_ROLE_ARN\`, \`AWS_ROLE_SESSION_NAME\`) comes before a profile that assumes no
  role.
- Profiles stand in \`~/.aws/config\` and \`~/.aws/credentials\` (\`AWS_CONFIG_FILE\`, \`AWS_SHARED_CREDENTIALS_FILE\`). One has
  a \`role_arn\` with \`source_profile\`, \`credential_source\` or \`web_identity_token_file\`; a \`sso_session\` or
  \`sso_start_url\`, for which \`aws sso login\` must have been run; keys; or a \`credential_process\`, which is run without a
  shell, for 20 seconds at most. The portal of sign-ins is at \`AWS_ENDPOINT_URL_SSO\`, else the region's. A sign-in that
  ends is renewed (\`AWS_ENDPOINT_URL_SSO_OIDC\`) and written back, where it can be; when it has ended, the error says what to run.
- \`aws_role_name\` is assumed with these, or with \`aws_web_identity_token\`, at \`aws_sts_endpoint\`, \`AWS_ENDPOINT_URL_STS\` or
  the region's. Keys that end are renewed five minutes before.`

const VERTEX = `## Vertex AI

| written | asked at, below the location | in whose words |
|---|---|---|
| \`vertex_ai/gemini-…\`, \`imagen-…\`, \`text-embedding-…\` | \`publishers/google/models/…\` | Google's |
| \`vertex_ai/claude-…\` | \`publishers/anthropic/models/…:rawPredict\`, \`:streamRawPredict\` | Anthropic's |
| \`vertex_ai/mistral-…\`, \`codestral-…\`, \`mistralai/…\` | \`publishers/mistralai/models/…:rawPredict\`, \`:streamRawPredict\` | Mistral's |
| \`vertex_ai/jamba-…\`, \`ai21/…\` | \`publishers/ai21/models/…:rawPredict\`, \`:streamRawPredict\` | OpenAI's |
| \`vertex_ai/<publisher>/<model>\`: \`meta/llama-…-maas\`, \`openai/gpt-oss-…-maas\`, \`qwen/…\`, \`deepseek-ai/…\`, \`moonshotai/…\`, any other; \`google/…-maas\` | \`endpoints/openapi/chat/completions\`, \`/embeddings\` | OpenAI's, passed on |
| \`vertex_ai/<number>\`, \`vertex_ai/openai/<number>\` | \`endpoints/<number>/chat/completions\`; embeddings at \`:predict\` | OpenAI's, passed on |
| \`vertex_ai/gemini/<number>\`, \`vertex_ai_beta/<number>\`, a number with a Gemini as \`base_model\` | \`endpoints/<number>\` | Google's |

- The location: \`vertex_location\`, the variables, else \`global\` for Claude, Gemini 3 and later, \`minimaxai/\`, \`moonshotai/\`,
  \`qwen/\`, \`xai/\` and \`zai-org/\`, and \`us-central1\` for the rest. Open models are served in few places: write it.
- \`api_base\` may be a host (an endpoint's own, a proxy), or go on to the version, the location, the model or the endpoint.
- An API key alone, without a project, serves Google's models only.
- \`max_completion_tokens\` becomes \`max_tokens\` where the words are OpenAI's.
- Completions are \`codestral-…\`'s alone: what stands between \`prompt\` and \`suffix\` is filled in.
- Not built: deployed models that take predictions alone (\`gemma/\`, \`bge/\`).`

const REPLICATE = `## Replicate

A chat is a prediction: it is made, and looked at until it is done. Its stream is read where the prediction says that it
is, if that is on the deployment's own host (with the key) or at \`stream.replicate.com\` or \`streaming.api.replicate.com\`
(without it). Where it is elsewhere, or cannot be reached, the answer comes whole, as one piece of a stream. The tokens of a
stream are looked up when it is over, for clients that ask for them. A client that leaves, or a deadline, cancels the
prediction.`

const TOKENS = `## Tokens that are got

What is written in the config beats the environment; of each, an \`api_key\` comes first. Deployments with
the same credential share one token, which a changed config does not forget. It is renewed while it is still good, and no
request waits for that. What is refused is asked for again after a second, or when the service says.

| for | with | from |
|---|---|---|
| \`azure/\`, \`azure_text/\`, \`azure_ai/\` | \`tenant_id\`, \`client_id\` and \`client_secret\` (\`AZURE_TENANT_ID\`, \`AZURE_CLIENT_ID\`, \`AZURE_CLIENT_SECRET\`) | Entra ID at \`AZURE_AUTHORITY_HOST\`, for \`azure_scope\` (\`AZURE_SCOPE\`) |
| | \`client_id\`, \`azure_username\` and \`azure_password\` (\`AZURE_USERNAME\`, \`AZURE_PASSWORD\`) | the same |
| | \`azure_ad_token: oidc/file/<path>\` or \`oidc/env/<variable>\`, else the file that \`AZURE_FEDERATED_TOKEN_FILE\` names | the same |
| | the identity of App Service, where \`IDENTITY_ENDPOINT\` and \`IDENTITY_HEADER\` are set; the machine's, where \`AZURE_CREDENTIAL\` says \`ManagedIdentityCredential\` | that endpoint |
| \`databricks/\` | \`client_id\` and \`client_secret\` (\`DATABRICKS_CLIENT_ID\`, \`DATABRICKS_CLIENT_SECRET\`) | the workspace |
| \`vertex_ai/\`, \`vertex_ai_beta/\` | \`vertex_credentials\` (\`GOOGLE_APPLICATION_CREDENTIALS\`), what gcloud keeps, the metadata server | where they say, else Google |
| \`watsonx/\`, \`watsonx_text/\` | \`api_key\`, also one of a client | IBM Cloud at \`WATSONX_IAM_URL\` |

A \`token\` of watsonx (\`WATSONX_TOKEN\`), a \`zen_api_key\` (\`WATSONX_ZENAPIKEY\`) and an \`azure_ad_token\`
(\`AZURE_AD_TOKEN\`) are sent as they are.`

const WORDS = `## What differs from OpenAI's words

Names are changed on the way. What models refuse, or leave out of account, is left out where \`drop_params\` is on, and
named in \`x-pulsegate-dropped-params\`; without it the provider decides. An answer that is passed on is passed on as it
came: thoughts stay where the provider puts them, which is \`reasoning_content\` where nothing is said here. Mistral's
answers to who has tools are translated: its calls lack the \`type\` that OpenAI's clients insist on.

Where a provider has words of its own nothing of a chat is lost without a word. A member that changes the question and
cannot be told is refused with a 400 that names it, or left out by \`drop_params\`. What stands deeper and is a hint (what
it is about goes out, and is asked about) is left out at once, and the header says so by its path:

| in the header | what is left out | of whom |
|---|---|---|
| \`messages[].name\` | who of several speaks | who is told the role alone |
| \`messages[].refusal\`, \`messages[].audio\` | what an assistant's earlier message held beside its content | all |
| \`….cache_control\`, \`….cache_control.ttl\` | where a cache may end, and how long it is kept: costs, and no answer | all but Claude and, outside \`tools\`, Nova; \`openai/\` at OpenAI's own address and \`azure/\` among them |
| \`messages[].content[].image_url.detail\` | how closely to look at a picture, unless \`auto\` | \`anthropic/\`, \`bedrock/\`, \`ollama/\`, \`replicate/\`, Gemini before its third generation |
| \`messages[].content[].citations\`, \`….context\` | what Anthropic's clients say of a document | all but Claude in Anthropic's words |
| \`tools[].function.strict\` | that a call keeps to its schema | \`ollama/\`, \`watsonx/\`, \`cohere/\` unless all tools do |
| \`response_format.json_schema.strict\` | that an answer keeps to its schema | Claudes and Novas that take no schema, and so are made to call a tool |
| \`web_search_options.search_context_size\`, \`….user_location\` | how far and where to search | Claude (the first), Gemini |

What changes no answer goes without a word: \`metadata\`, \`prediction\`, \`prompt_cache_…\`, \`safety_identifier\`,
\`service_tier\`, \`store\`, \`stream_options\`, \`user\` where a provider does not know them, a default written out, the name of
a schema or a file. An effort that a model does not know is told as the nearest that it knows. The description of a
\`json_schema\` goes into the schema.

What an assistant refused, or spoke (its \`transcript\`), is told as its content; sound that is named by its id alone is
refused, for only its maker has it, and so is a \`function_call\` in the form that OpenAI had before tools.

| provider | names | left out by \`drop_params\` | thoughts |
|---|---|---|---|`

const NOT_BUILT_YET = `## Not built yet

Deployments of these load, are listed as misconfigured, and nothing is sent to them:`
