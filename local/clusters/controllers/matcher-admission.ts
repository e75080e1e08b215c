import type { Cause } from '../api-error.ts'
import type { Matcher, VirtualMachine } from './vm-types.ts'

type Spec = VirtualMachine['spec']

/** How a machine names its instance type and its preference, and the revision of each that it is held to. */
const matchers = ['instancetype', 'preference'] as const

/** A revision is of one instance type: whoever names another must name another revision too, or none. */
export function staleRevisions({ spec }: VirtualMachine, { spec: before }: VirtualMachine): Cause[] {
  return matchers.flatMap((what) => {
    const [now, old] = [spec[what], before[what]]
    if (!now || !old?.revisionName || now.name === old.name || now.revisionName !== old.revisionName) return []
    const message = 'the Matcher Name has been updated without updating the RevisionName'
    return [{ reason: 'FieldValueInvalid', message, field: `spec.${what}.revisionName` }]
  })
}

/** KubeVirt writes its whole spec back, so an empty revision is as good as none. */
export const withoutEmptyRevisions = (spec: Spec): Spec =>
  changed(spec, ({ revisionName, ...rest }) => (revisionName ? { ...rest, revisionName } : rest))

/** The spec as a snapshot keeps it: held to what its instance type and its preference were then. */
export const withRevisions = (spec: Spec, machine: string): Spec =>
  changed(spec, (matcher) => ({ ...matcher, revisionName: `${machine}-${matcher.name}-v1beta1-1` }))

function changed(spec: Spec, change: (matcher: Matcher) => Matcher): Spec {
  const entries = matchers.flatMap((what) => {
    const matcher = spec[what]
    return matcher ? [[what, change(matcher)] as const] : []
  })
  return { ...spec, ...Object.fromEntries(entries) }
}
