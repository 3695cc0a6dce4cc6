import type { Cancel, Clock } from './clock.ts'

/** What a promise comes to, or an error when the time is over. A late answer is nobody's. */
export function within<Result>(
  clock: Pick<Clock, 'after'>,
  mostMs: number,
  promise: Promise<Result>,
  why: string,
): Promise<Result> {
  let cancel: Cancel = () => {}
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.after(mostMs, () => reject(new Error(why)))
  })
  return Promise.race([promise, deadline]).finally(cancel)
}
