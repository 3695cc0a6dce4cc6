/** Other APIs in front of chat deployments, each a request of its own. */
export type SurfaceName =
  | 'messages'
  | 'countTokens'
  | 'responses'
  | 'generateContent'
  | 'streamGenerateContent'
  | 'countContent'
