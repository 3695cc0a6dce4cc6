/** Lets everybody else go first, once. */
export const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
