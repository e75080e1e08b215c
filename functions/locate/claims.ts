import { isUnfilled } from '../../shared/claims.ts'
import { allClaims, claimOf, disksOf } from '../../shared/kubevirt/manifest.ts'
import { type RoundName, removesMachine, roundsOf } from '../../shared/lifecycles.ts'
import type { Claim } from '../../shared/machines.ts'
import { bytes } from '../../shared/quantity.ts'
import { requestOf } from '../../shared/request.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { listed, show } from '../../shared/schema/show.ts'
import type { Run } from '../../shared/step.ts'

/** What the claims of a machine do not let a run do, a sentence each: the cluster would refuse it, or data would be lost. */
export const claimRefusals = (run: Run, definition: Definition, claims: readonly Claim[]): string[] =>
  roundsOf(run.lifecycle).flatMap((round) => refusals[round]?.(run, definition, claims) ?? [])

type Refusals = (run: Run, definition: Definition, claims: readonly Claim[]) => string[]

const refusals: Partial<Record<RoundName, Refusals>> = {
  resize(run, definition, claims) {
    const { grow = {}, detach = [] } = requestOf(run, 'resize')
    const growing = disksOf(definition).flatMap((disk) => {
      const wanted = grow[disk.name]
      return wanted !== undefined && bytes(wanted) > bytes(disk.size) ? [{ ...disk, wanted }] : []
    })
    const leaving = definition.disks.filter(({ name }) => detach.includes(name))
    return [
      ...growing.flatMap(({ name, wanted, claim }) =>
        growthProblem(`grow.${name} is ${show(wanted)}`, wanted, claim, named(claims, claim)),
      ),
      ...unfilled(
        leaving.map((disk) => claimOf(definition, disk)),
        claims,
      ),
    ]
  },
  snapshot(run, definition, claims) {
    const { action = 'take' } = requestOf(run, 'snapshot')
    if (action === 'take') return unbound(definition, claims)
    return action === 'expire' ? unfilled(allClaims(definition), claims) : []
  },
  save: (run, definition, claims) =>
    removesMachine(run.lifecycle) && !requestOf(run, 'deprovision').finalSnapshot ? [] : unbound(definition, claims),
  /** The snapshots of a machine go with it, and its data stays: but for a disk that the request names. */
  remove(run, definition, claims) {
    const { destroy = [] } = requestOf(run, 'deprovision')
    const staying = definition.disks.filter(({ name }) => !destroy.includes(name))
    return unfilled(
      staying.map((disk) => claimOf(definition, disk)),
      claims,
    )
  },
}

const named = (claims: readonly Claim[], name: string) => claims.find(({ metadata }) => metadata.name === name)

/** On a file system CDI makes a claim larger than its disk, and no claim shrinks to what is asked for. */
function growthProblem(asked: string, wanted: string, name: string, claim: Claim | undefined): string[] {
  if (!claim) return [`${asked}, and its claim ${name} is not there`]
  const { phase = 'Pending' } = claim.status ?? {}
  if (phase !== 'Bound') return [`${asked}, and its claim ${name} is ${phase}: wanted one that is bound`]
  const most = claim.spec?.resources?.requests?.storage ?? '0'
  if (bytes(wanted) >= bytes(most)) return []
  return [`${asked}, wanted at least ${show(most)}: its claim ${name} asks for that already`]
}

/** KubeVirt takes no snapshot of a machine with such a disk, and says so only when its time for it is up. */
function unbound(definition: Definition, claims: readonly Claim[]): string[] {
  const found = allClaims(definition).filter((name) => named(claims, name)?.status?.phase === 'Pending')
  if (found.length === 0) return []
  return [
    `there can be no snapshot of disks that are not bound yet: ${listed(found)}, wanted a machine that was started since`,
  ]
}

/** A disk that a restore has made may be filled only when the machine starts, and until then its data is in a snapshot alone. */
function unfilled(names: readonly string[], claims: readonly Claim[]): string[] {
  const found = names.filter((name) => claims.some((claim) => claim.metadata.name === name && isUnfilled(claim)))
  if (found.length === 0) return []
  return [
    `its restored disks are not filled yet from their snapshot, which would go: ${listed(found)}, wanted a machine that was started since`,
  ]
}
