import type { DroverError } from '../../../../shared/errors.ts'

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<DroverError> {
  return promise.then(
    (value) => {
      throw new Error(`Expected to be rejected, but it answered ${JSON.stringify(value)}`)
    },
    (error: unknown) => error as DroverError,
  )
}

/** Everything that an error shows, its causes included. */
export function fullText(error: unknown): string {
  return error instanceof Error
    ? `${error.message} ${error.stack} ${fullText(error.cause)}`
    : JSON.stringify(error ?? '')
}
