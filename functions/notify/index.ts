import { callbackPoster } from '../../shared/clients/callback.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { notify } from './notify.ts'

/** Give feedback to the requester. */
export const wire: Wire = (config) => {
  const callback = callbackPoster(config.callback)
  return { step: (run) => notify(run, callback) }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('notify', wire)
