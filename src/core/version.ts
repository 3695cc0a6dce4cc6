/** The LiteLLM release whose behaviour we follow; shown as `litellm_version`. */
export const LITELLM_VERSION = '1.100.5'
