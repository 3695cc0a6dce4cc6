import * as z from 'zod'
import { patternOf } from './pattern.ts'
import { deploymentHealthShape } from './schema-health-engine.ts'
import {
  acted,
  actedSecret,
  anything,
  flag,
  flagOrPath,
  kept,
  list,
  map,
  names,
  notNegative,
  numeric,
  positiveWhole,
  text,
  textLike,
} from './schema-types.ts'

/** Seconds or a duration; LiteLLM takes numbers. */
const seconds = notNegative

const patterns = names.refine((list) => list.every((each) => patternOf(each) !== undefined), {
  error: 'must be a list of patterns',
})

/** Prices, which may stand in litellm_params or in model_info. */
const costShape = {
  input_cost_per_token: acted(
    notNegative,
    'Dollars for one token in, for `cost-based-routing` and the price of checks.',
  ),
  output_cost_per_token: acted(
    notNegative,
    'Dollars for one token out, for `cost-based-routing` and the price of checks.',
  ),
  output_cost_per_image: acted(notNegative, 'Dollars for one image, for the price of checks.'),
  input_cost_per_image: acted(notNegative, 'The same where there is no `output_cost_per_image`.'),
  input_cost_per_query: acted(notNegative, 'Dollars for one rerank, for the price of checks.'),
  input_cost_per_second: acted(notNegative, 'Dollars for one second of sound, for the price of checks.'),
  output_cost_per_second: acted(notNegative, 'The same where there is no `input_cost_per_second`.'),
  input_cost_per_character: acted(
    notNegative,
    'Dollars for one character that is spoken, for the price of checks.',
  ),
}

/** `litellm_params` that have a meaning of their own. Everything else is a request parameter. */
export const paramShape = {
  model: acted(text, '`<provider>/<model>`: what is called. Required.'),
  custom_llm_provider: acted(text, 'The provider, where `model` does not start with it.'),
  api_key: actedSecret(
    textLike,
    "The provider's key. Default: the provider's variable, such as OPENAI_API_KEY.",
  ),
  api_base: acted(text, "The address. Default: the provider's."),
  base_url: acted(text, 'Another name of `api_base`.'),
  api_version: acted(textLike, 'The version of an Azure API.'),
  organization: actedSecret(
    z.union([z.string(), z.number(), z.array(z.string())], { error: 'must be text or a list of texts' }),
    'An OpenAI organization; a list makes one deployment each.',
  ),
  azure_ad_token: actedSecret(
    text,
    'A token of Entra ID in place of a key, or `oidc/env/<variable>` or `oidc/file/<path>`: a federated token to get one with.',
  ),
  extra_headers: actedSecret(map, 'Headers that go upstream with every request.'),
  headers: actedSecret(map, 'The same as `extra_headers`.'),
  extra_body: acted(map, 'Fields that go into every body.'),
  timeout: acted(seconds, 'Seconds a request may take.'),
  request_timeout: acted(seconds, 'The same as `timeout`, which wins.'),
  stream_timeout: acted(
    seconds,
    'Seconds a stream may be silent, before its first event and between any two; beats the router.',
  ),
  ttft_timeout: acted(
    seconds,
    'Seconds to wait for the first event of a stream; beats the router. 0 counts as not set.',
  ),
  stream_idle_timeout: acted(
    seconds,
    'Seconds a stream may be silent between two events; beats the router. 0 counts as not set.',
  ),
  configurable_clientside_auth_params: acted(list, 'Connection fields that a client may send.'),
  litellm_credential_name: acted(text, 'Takes connection fields from `credential_list`.'),
  rpm: acted(
    numeric,
    'Most requests a minute; also the share of the traffic where there is no `weight`. Shown in `/health`.',
  ),
  tpm: acted(
    numeric,
    'Most tokens a minute; also the share where there is no `rpm` either. Shown in `/health`.',
  ),
  region_name: acted(text, 'The region; shown in `/health`.'),
  base_model: acted(text, 'The model behind an Azure deployment.'),
  aws_region_name: acted(text, 'The AWS region; shown in `/health`.'),
  aws_bedrock_runtime_endpoint: acted(text, 'The address of Bedrock; shown in `/health`.'),
  aws_access_key_id: actedSecret(textLike, 'AWS credentials.'),
  aws_secret_access_key: actedSecret(textLike, 'AWS credentials.'),
  aws_session_token: actedSecret(textLike, 'AWS credentials that end.'),
  aws_profile_name: acted(text, "A profile of AWS's shared files."),
  aws_role_name: acted(text, 'The ARN of an AWS role to assume.'),
  aws_session_name: acted(text, 'The name of that session. Default: `pulsegate`.'),
  aws_web_identity_token: actedSecret(
    text,
    'A token for assuming the role: itself, a path, or `oidc/file/<path>`, `oidc/env/<name>`, `oidc/env_path/<name>`.',
  ),
  aws_sts_endpoint: acted(text, "The address of AWS's token service. Default: the region's."),
  aws_external_id: actedSecret(text, 'The external id of a role.'),
  vertex_project: acted(
    textLike,
    'The Google Cloud project. Default: VERTEXAI_PROJECT, then that of the credentials; shown in `/health`.',
  ),
  vertex_location: acted(
    text,
    'A region of Google Cloud, `us`, `eu` or `global`. Default: VERTEXAI_LOCATION; shown in `/health`.',
  ),
  vertex_credentials: actedSecret(
    anything,
    'Google credentials: a path, JSON, or a map; a service account, an authorized user, an external account (workload identity) or an impersonated account. Default: GOOGLE_APPLICATION_CREDENTIALS, those of gcloud, the metadata server.',
  ),
  vertex_ai_project: acted(textLike, 'Another name of `vertex_project`.'),
  vertex_ai_location: acted(text, 'Another name of `vertex_location`.'),
  vertex_ai_credentials: actedSecret(anything, 'Another name of `vertex_credentials`.'),
  watsonx_region_name: acted(text, 'The region of watsonx; shown in `/health`.'),
  watsonx_project: acted(textLike, 'Another name of `project_id`.'),
  watsonx_token: actedSecret(text, 'Another name of `token`.'),
  project_id: acted(textLike, 'The project of watsonx. Default: WATSONX_PROJECT_ID.'),
  space_id: acted(textLike, 'The deployment space of watsonx. Default: WATSONX_SPACE_ID.'),
  token: actedSecret(text, 'A token of IBM Cloud, for watsonx, in place of a key.'),
  zen_api_key: actedSecret(text, 'A key of IBM Cloud Pak for Data, for watsonx.'),
  tenant_id: acted(textLike, 'The tenant of Entra ID. Default: AZURE_TENANT_ID.'),
  client_id: acted(
    textLike,
    'The application that gets tokens: of Entra ID (default AZURE_CLIENT_ID) or Databricks (DATABRICKS_CLIENT_ID).',
  ),
  client_secret: actedSecret(
    textLike,
    'Its secret. Default: AZURE_CLIENT_SECRET, or DATABRICKS_CLIENT_SECRET.',
  ),
  azure_username: actedSecret(text, 'A user of Entra ID. Default: AZURE_USERNAME.'),
  azure_password: actedSecret(textLike, "That user's password. Default: AZURE_PASSWORD."),
  azure_scope: acted(
    text,
    'What tokens of Entra ID are for. Default: AZURE_SCOPE, then https://cognitiveservices.azure.com/.default.',
  ),
  azure_ad_token_provider: kept(anything, 'A Python function; it cannot run here.'),
  api_type: kept(text, 'A leftover of old OpenAI clients.'),
  weight: acted(
    notNegative,
    'Share of the traffic of its group. Where the first deployment of a group has one, those without get none.',
  ),
  order: acted(numeric, 'Deployments of a lower number come first; those without a number last.'),
  max_parallel_requests: acted(notNegative, 'Most requests in flight. 0 counts as not set.'),
  cooldown_time: acted(
    notNegative,
    'Seconds before it is looked at for the first time when it is down; beats the router.',
  ),
  tags: acted(
    z.array(textLike, { error: 'must be a list of tags' }),
    'For requests with one of these tags, where `enable_tag_filtering` is on.',
  ),
  tag_regex: acted(patterns, 'For requests whose `User-Agent: …` fits one of these patterns.'),
  max_retries: acted(
    numeric,
    "The tries of LiteLLM's own client. Here: as `num_retries`, where that is not written and the router's is less.",
  ),
  num_retries: acted(
    notNegative,
    'How often a request that failed here is tried again within its group; beats the router.',
  ),
  retry_policy: kept(map, 'Tries by kind of failure.'),
  fallbacks: kept(anything, 'Other model groups to try.'),
  context_window_fallbacks: kept(anything, 'Model groups with more context.'),
  drop_params: acted(
    flag,
    'Leave out of requests what the provider is known to refuse; beats `litellm_settings`.',
  ),
  additional_drop_params: acted(
    names,
    'Members to leave out of requests: names, or paths such as `tools[*].function.strict`.',
  ),
  allowed_openai_params: acted(
    names,
    'Members that `drop_params` never leaves out, and that go out as they are to providers of which it is not known that they take them.',
  ),
  ...costShape,
  mock_response: acted(
    anything,
    'The answer of chats, completions and embeddings; the provider is never asked. `litellm.RateLimitError` and its like fail so.',
  ),
  mock_delay: acted(notNegative, 'Seconds that `mock_response` takes.'),
  mock_timeout: acted(flag, 'No answer comes within any timeout; the provider is never asked.'),
  max_budget: kept(numeric, 'Budget of this deployment.'),
  budget_duration: kept(text, 'How often it starts anew.'),
  use_in_pass_through: kept(flag, 'Credentials for pass-through routes.'),
  merge_reasoning_content_in_choices: kept(flag, 'Put reasoning into the content.'),
  use_litellm_proxy: kept(flag, 'Call through another LiteLLM.'),
  default_api_key_tpm_limit: kept(numeric, 'Tokens a minute per key.'),
  default_api_key_rpm_limit: kept(numeric, 'Requests a minute per key.'),
  ssl_verify: acted(
    flagOrPath,
    "Check the upstream's certificate: true, false, or a PEM file of the authorities to trust. Default: `litellm_settings.ssl_verify`.",
  ),
  cache: kept(anything, 'Caching of this deployment.'),
  caching: kept(anything, 'Caching of this deployment.'),
  cache_control_injection_points: kept(list, 'Where cache marks are put into prompts.'),
  metadata: kept(map, 'Facts for callbacks.'),
  litellm_metadata: kept(map, 'Facts for callbacks.'),
  guardrails: kept(list, 'Guardrails of this deployment.'),
  auto_router_config: kept(anything, 'Options of automatic routing.'),
  auto_router_config_path: kept(text, 'Options of automatic routing.'),
  auto_router_default_model: kept(text, 'Options of automatic routing.'),
  auto_router_embedding_model: kept(text, 'Options of automatic routing.'),
  complexity_router_config: kept(anything, 'Options of automatic routing.'),
  s3_bucket_name: kept(text, 'The bucket for batch files.'),
  gcs_bucket_name: kept(text, 'The bucket for batch files.'),
  max_file_size_mb: kept(numeric, 'Largest upload, in MB.'),
}

/** `model_info` that has a meaning; any other key is carried and shown. */
export const infoShape = {
  id: acted(
    z.union([z.string(), z.number()], { error: 'must be text' }),
    'The id of this deployment. Default: a hash of litellm_params.',
  ),
  mode: acted(
    text,
    'What the model is for: chat (default), completion, embedding, image_generation, audio_transcription, audio_speech, rerank, batch, realtime.',
  ),
  base_model: acted(text, 'The model behind an Azure deployment.'),
  max_input_tokens: acted(
    notNegative,
    'Tokens that the model takes in at most, for `enable_pre_call_checks`.',
  ),
  max_tokens: acted(notNegative, 'The same where there is no `max_input_tokens`.'),
  ...costShape,
  health_check_timeout: acted(notNegative, 'Seconds one check may take; 0 counts as not set. Default: 60.'),
  health_check_model: acted(
    text,
    'Probed in place of the deployment’s own model; needed where that has a `*`.',
  ),
  health_check_params: acted(anything, 'Fields of the probe.'),
  health_check_max_tokens: acted(positiveWhole, 'Token budget of the probe. Default: 16.'),
  health_check_max_tokens_reasoning: acted(positiveWhole, 'The same for reasoning models.'),
  health_check_max_tokens_non_reasoning: acted(positiveWhole, 'The same for other models.'),
  health_check_supports_max_tokens: acted(flag, 'Forces or forbids a token budget in the probe.'),
  health_check_reasoning_effort: acted(text, '`reasoning_effort` of the probe.'),
  health_check_voice: acted(text, 'Voice of a speech probe. Default: alloy.'),
  ...deploymentHealthShape,
  disable_background_health_check: acted(flag, 'The background loop leaves this deployment out.'),
  supported_environments: acted(list, 'Only loaded where LITELLM_ENVIRONMENT is one of these.'),
  rpm: acted(numeric, 'The same as in `litellm_params`, which wins.'),
  tpm: acted(numeric, 'The same as in `litellm_params`, which wins.'),
  access_groups: kept(list, 'Names by which keys are given access.'),
  team_id: kept(text, 'The team that owns this deployment.'),
  team_public_model_name: kept(text, "The team's name for it."),
  tier: kept(text, 'free or paid.'),
  blocked: kept(flag, 'Takes no traffic.'),
}

/** One entry of `model_list`. */
export const deploymentSchema = z.looseObject({
  model_name: acted(
    text,
    'The model group: what clients ask for. Entries of one name share the traffic. May hold `*`.',
  ),
  litellm_params: z.looseObject(paramShape).nullish().meta({
    description: 'How the model is called. Unknown keys go into the bodies of requests.',
    acted: true,
    secret: false,
  }),
  model_info: z.looseObject(infoShape).nullish().meta({
    description: 'Facts about the deployment; keys of your own are shown as they are.',
    acted: true,
    secret: false,
  }),
  rpm: acted(numeric, 'The same as in `litellm_params`, which wins.'),
  tpm: acted(numeric, 'The same as in `litellm_params`, which wins.'),
  guardrails: kept(list, 'Guardrails of this deployment.'),
})
