import { describe, expect, it } from 'vitest'
import { BranchSigner, signRequest } from './branch.ts'

describe('BranchSigner', () => {
  it('opens what it signed, for the same call only', () => {
    const signer = new BranchSigner('secret')
    const wire = signer.sign('z9hG4bK1', 'call-1')
    expect(wire).toBe(signer.sign('z9hG4bK1', 'call-1'))
    expect(signer.open(wire, 'call-1')).toBe('z9hG4bK1')
    expect(signer.open(wire, 'call-2')).toBeUndefined()
  })

  it.each(['z9hG4bK1', 'z9hG4bK1-', 'z9hG4bK1-00', '-', ''])('opens nothing of %j', (wire) => {
    expect(new BranchSigner('secret').open(wire, 'call-1')).toBeUndefined()
  })

  it('opens nothing that another process signed', () => {
    const wire = new BranchSigner('other').sign('z9hG4bK1', 'call-1')
    expect(new BranchSigner('secret').open(wire, 'call-1')).toBeUndefined()
  })
})

describe('signRequest', () => {
  const o = {
    signer: new BranchSigner('s'),
    callId: 'c',
    sentBy: '192.0.2.1:5060',
    protocol: 'UDP',
  }

  it('writes port, rport and signature, and drops the empty Supported', () => {
    const text = signRequest(
      'BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x.invalid;branch=z9hG4bK1;rport\r\nSupported: \r\n\r\n',
      o,
    )
    const branch = o.signer.sign('z9hG4bK1', 'c')
    expect(text).toBe(
      `BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=${branch};rport\r\n\r\n`,
    )
  })

  it('refuses a request without a Via', () => {
    expect(() => signRequest('BYE sip:a SIP/2.0\r\n\r\n', o)).toThrow('no Via')
  })
})
