import type { Condition, DataVolume, ExternalSecret, MachineView } from '../machines.ts'
import { type Assessment, failed, troubled, waiting } from './assessment.ts'
import { words } from './words.ts'

/** What disks, Argo CD and the stores of secrets say is wrong; undefined where that is nothing. */

export function troubleOfDisks(disks: DataVolume[]): Assessment | undefined {
  const broken = disks.find((disk) => disk.status?.phase === 'Failed')
  if (broken) return failed(`disk ${broken.metadata.name} failed: ${words(broken.status?.conditions)}`)
  const struggling = disks.find((disk) => isPending(disk) && disk.status?.conditions?.some(isError))
  if (!struggling) return undefined
  const reason = words(struggling.status?.conditions?.filter(isError))
  return troubled(`disk ${struggling.metadata.name} cannot be made: ${reason}`)
}

/** CDI goes on trying after an `Error`, and waits for somebody to mend what it calls not valid: a claim, or a clone. */
const isError = ({ status, reason = '' }: Condition) =>
  status === 'False' && (reason.startsWith('Err') || reason === 'CloneValidationFailed')

export const isPending = ({ status }: DataVolume) => status?.phase !== 'Succeeded'

/** Argo CD tries ten times within some seven minutes, and then begins anew: so many tries take two minutes, in which much comes right by itself. */
const manyRetries = 5

/**
 * Words of an outage: of Argo CD's own parts, of the Git server as it sees it, of the cluster, or of a webhook there. Nothing of
 * ours is wrong, and Argo CD goes on trying by itself: who gave up for that would undo every run that is under way.
 */
const outage = new RegExp(
  [
    'failed to get cluster info',
    'code = (?:Unavailable|DeadlineExceeded|Canceled)\\b',
    'connection (?:refused|reset)|no route to host|no such host|TLS handshake timeout|i/o timeout',
    'deadline exceeded|Client\\.Timeout|timed out waiting',
    'no endpoints available|currently unable to handle the request|etcdserver: ',
  ].join('|'),
  'i',
)

/** Argo CD's own trouble: a manifest that the cluster refuses, a repository that it may not read. An outage is waited out. */
export function troubleOfSync({ application }: Pick<MachineView, 'application'>): Assessment | undefined {
  const {
    operationState: { phase, retryCount = 0, message = 'no reason given', operation } = {},
    conditions,
    sync,
  } = application?.status ?? {}
  // While it pauses between its tries of an older commit, it does not look at ours.
  const isOfThis = operation?.sync?.revision !== undefined && operation.sync.revision === sync?.revision
  const isGivenUp = phase === 'Failed' || (phase === 'Running' && retryCount >= manyRetries && isOfThis)
  const reason = message.replace(/\.? Retrying attempt #\d+ at .*$/, '')
  const error = conditions?.find(({ type }) => type.endsWith('Error'))
  const said = [
    ...(isGivenUp && sync?.status !== 'Synced' ? [`Argo CD cannot apply it: ${reason}`] : []),
    ...(error ? [`Argo CD reports ${error.type}: ${error.message}`] : []),
  ]
  // What was an outage when it was tried last may be followed by what is no outage.
  const trouble = said.find((one) => !outage.test(one))
  if (trouble !== undefined) return troubled(trouble)
  return said[0] === undefined ? undefined : waiting(said[0])
}

/** Without its Secret a guest never starts, and the machine itself would only say Starting. */
export function troubleOfSecrets({ secrets }: { secrets: readonly ExternalSecret[] }): Assessment | undefined {
  const isFailing = ({ type, status, reason }: Condition) =>
    type === 'Ready' && status === 'False' && reason === 'SecretSyncedError'
  const failing = secrets.find(({ status }) => status?.conditions?.some(isFailing))
  if (!failing) return undefined
  const reason = words(failing.status?.conditions)
  return troubled(`ExternalSecret ${failing.metadata.name} cannot be synced: ${reason}`)
}
