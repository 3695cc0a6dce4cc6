/**
 * Body fields that say where a request goes or with whose credentials. A client that could set them would
 * aim the operator's keys, or the gateway itself, at any host; they are refused unless the deployment's
 * `configurable_clientside_auth_params` names them.
 */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'api_base',
  'api_key',
  'api_type',
  'api_version',
  'aws_access_key_id',
  'aws_bedrock_runtime_endpoint',
  'aws_external_id',
  'aws_profile_name',
  'aws_region_name',
  'aws_role_name',
  'aws_secret_access_key',
  'aws_session_name',
  'aws_session_token',
  'aws_sts_endpoint',
  'aws_web_identity_token',
  'azure_ad_token',
  'azure_ad_token_provider',
  'azure_endpoint',
  'azure_password',
  'azure_scope',
  'azure_username',
  'base_url',
  'client_id',
  'client_secret',
  'custom_llm_provider',
  'default_headers',
  'extra_headers',
  'headers',
  'litellm_credential_name',
  'organization',
  'proxy_server_request',
  'region_name',
  'tenant_id',
  'vertex_credentials',
  'vertex_location',
  'vertex_project',
  'watsonx_region_name',
])

/** The connection fields that a client may set where the deployment allows it; others stay refused. */
const SETTABLE_CONNECTION_FIELDS = ['api_key', 'api_base', 'base_url', 'api_version', 'organization'] as const

/** One of the fields that a client can be allowed to set. */
export type SettableConnectionField = (typeof SETTABLE_CONNECTION_FIELDS)[number]

/** True for a field that a client can be allowed to set. */
export function isSettable(field: string): field is SettableConnectionField {
  return SETTABLE_CONNECTION_FIELDS.some((each) => each === field)
}

/**
 * Body fields that speak to the proxy, not to the provider (LiteLLM's list); providers refuse what they do not
 * know, so these are taken out; the ones not acted on are named in `x-pulsegate-dropped-params`. `metadata` and `user` are OpenAI's
 * own and stay.
 */
export const GATEWAY_FIELDS: ReadonlySet<string> = new Set([
  'additional_drop_params',
  'allowed_openai_params',
  'cache',
  'caching',
  'content_policy_fallbacks',
  'context_window_fallbacks',
  'disable_fallbacks',
  'drop_params',
  'extra_body',
  'fallbacks',
  'guardrails',
  'litellm_call_id',
  'litellm_logging_obj',
  'litellm_metadata',
  'litellm_session_id',
  'litellm_trace_id',
  'max_retries',
  'mock_delay',
  'mock_response',
  'mock_testing_content_policy_fallbacks',
  'mock_testing_context_window_fallbacks',
  'mock_testing_fallbacks',
  'mock_testing_rate_limit_error',
  'mock_timeout',
  'model_info',
  'no-log',
  'num_retries',
  'request_timeout',
  'stream_timeout',
  'tags',
  'timeout',
  'use_litellm_proxy',
])

/** Those of them that are acted on; the others are only taken out. */
const HONOURED_FIELDS: ReadonlySet<string> = new Set([
  'additional_drop_params',
  'allowed_openai_params',
  'content_policy_fallbacks',
  'context_window_fallbacks',
  'disable_fallbacks',
  'drop_params',
  'extra_body',
  'fallbacks',
  'mock_testing_content_policy_fallbacks',
  'mock_testing_context_window_fallbacks',
  'mock_testing_fallbacks',
  'mock_testing_rate_limit_error',
  'num_retries',
  'request_timeout',
  'stream_timeout',
  'timeout',
])

/** Acted on where one of them says what the answer is. */
const MOCK_FIELDS: ReadonlySet<string> = new Set(['mock_delay', 'mock_response', 'mock_timeout'])

/** Those that are taken out and not acted on; `others` are acted on this time. */
export function droppedFields(
  fields: readonly string[],
  others: { readonly tags: boolean; readonly mockResponse: boolean },
): readonly string[] {
  return fields.filter(
    (field) =>
      !HONOURED_FIELDS.has(field) &&
      !(field === 'tags' && others.tags) &&
      !(MOCK_FIELDS.has(field) && others.mockResponse),
  )
}
