import { join } from 'node:path'
import { environment } from '../../shared/config.ts'
import type { FunctionName } from '../../shared/lifecycles.ts'
import { signingKeys } from '../events.ts'
import type { Address } from '../fleet/fleets.ts'
import { type Server, startServer } from './start.ts'

/** Starts one function from the bundle over a fleet, as its container does. */
export function startFunction(
  bundle: string,
  name: FunctionName,
  { plainUrl, token }: Address,
  directory: string,
): Promise<Server> {
  const { PATH = '' } = environment()
  return startServer(bundle, '/health/readiness', {
    PATH,
    FUNCTION: name,
    DROVER_SIGNING_KEYS: signingKeys,
    DROVER_GIT_URL: plainUrl,
    DROVER_GIT_TOKEN: token,
    DROVER_GIT_DIRECTORY: join(directory, `clone-of-${name}`),
    DROVER_ARGOCD_REPO_URL: 'http://git.drover.local/fleet.git',
    DROVER_PATIENCE_SECONDS: '1',
    DROVER_LOG_LEVEL: 'silent',
  })
}
