/**
 * How deep a proof goes: 0 the name resolves, 1 a connection is accepted, 2 the certificate holds, 3 the key is
 * accepted and the front of the server is alive, 4 the model answers, 5 it answers rightly.
 */
export type Depth = 0 | 1 | 2 | 3 | 4 | 5

/** The depths that code names. */
export const DEPTH = { reach: 2, front: 3, answer: 4, right: 5 } as const satisfies Record<string, Depth>

/** What a failure condemns: the machine at the other end, the key, or this one model. */
export type FaultDomain = 'host' | 'credential' | 'deployment'
