import { brokerPoster } from '../../shared/clients/broker.ts'
import { noCmdb, openCmdb, readCmdbConfig } from '../../shared/clients/cmdb.ts'
import { openFleet } from '../../shared/clients/git.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { register } from './register.ts'

/** The machine in the enterprise system: planned, operational. */
export const wire: Wire = (config, log) => {
  const fleet = openFleet({ ...config.git, log })
  const cmdb =
    config.cmdb.config === undefined ? noCmdb : openCmdb(readCmdbConfig(config.cmdb.config), config.cmdb.token)
  return {
    step: (run) => register(run, cmdb, fleet),
    post: brokerPoster(config.broker),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors } = toFunction('register', wire)
