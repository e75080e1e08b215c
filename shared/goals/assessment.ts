import type { Facts } from '../step.ts'

/**
 * How far a machine is from what Git says, decided from what the cluster shows at one moment. `failed` is final; `troubled`
 * names an error that may pass (a disk that is still being imported says DataVolumeError for a moment) and is final
 * only when it lasts.
 */
export type Assessment =
  | { state: 'reached'; message: string; facts?: Facts }
  | { state: 'waiting'; message: string }
  | { state: 'troubled'; message: string }
  | { state: 'failed'; message: string }

export const reached = (message: string, facts?: Facts): Assessment => ({
  state: 'reached',
  message,
  ...(facts ? { facts } : {}),
})
export const waiting = (message: string): Assessment => ({ state: 'waiting', message })
export const failed = (message: string): Assessment => ({ state: 'failed', message })
export const troubled = (message: string): Assessment => ({ state: 'troubled', message })
