import type { Authorize, ProviderAdapter } from '../providers/adapter.ts'
import type { relay } from '../providers/call.ts'

/** How long and how much an exchange may take, as the providers' road asks for it. */
export type Limits = Parameters<typeof relay>[4]

/** Receives an upstream's answer piece by piece. */
export type StreamSink = Parameters<typeof relay>[5]

/** A running exchange with an upstream. */
export type Stream = NonNullable<ReturnType<typeof relay>>

/** A request in a provider's words. */
export type WireRequest = Parameters<Authorize>[0]

/** A whole answer of an upstream. */
export type WireResponse = Parameters<ProviderAdapter['classify']>[0]
