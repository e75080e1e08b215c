import { addressesOf } from './reservations.ts'
import type { Run } from './step.ts'

/** The enterprise system (CMDB) as steps see it. */

/** What is known of a machine when it is registered; the values that body templates may use. */
export interface CmdbRecord {
  run: string
  name: string
  namespace: string
  cluster: string
  fqdn: string
  addresses: string
  owner: string
  requester: string
  environment: string
  application: string
  template: string
  ticket: string
}

export type CmdbState = 'planned' | 'operational' | 'retired'

export interface Cmdb {
  /**
   * Brings the record of a machine into a state and answers its id. The record is found by the machine's name and run
   * before one is made, so a second call changes nothing. A record is never moved back: 'planned' leaves a record alone
   * that is there already.
   */
  register(record: CmdbRecord, state: CmdbState): Promise<{ id: string }>
}

/** What a CMDB is told of a machine: as its request has it while it is made, and as its definition has it from then on. */
export function toCmdbRecord({ id, facts, request, requester }: Run): CmdbRecord {
  const { definition } = facts
  const first = (facts.interfaces ?? definition?.interfaces)?.[0]
  return {
    run: facts.madeBy ?? id,
    name: facts.name ?? '',
    namespace: request.namespace,
    cluster: facts.cluster ?? '',
    fqdn: first ? `${facts.name}.${first.domain}` : '',
    addresses: addressesOf(facts).join(' '),
    requester,
    ticket: request.ticket ?? '',
    ...('template' in request
      ? {
          owner: request.owner.name,
          environment: request.environment ?? '',
          application: request.application ?? '',
          template: request.template,
        }
      : {
          owner: definition?.owner.name ?? '',
          environment: definition?.labels['environment'] ?? '',
          application: definition?.labels['application'] ?? '',
          template: definition?.template ?? '',
        }),
  }
}
