import { describe, expect, it } from 'vitest'
import { hintFor, isMenu, isQueue, isScreening, isVoicemailGreeting, waitAsked } from './callee.ts'

describe('who speaks', () => {
  it.each([
    "Hi, you've reached Joe. I can't come to the phone right now, so please leave a message after the beep.",
    'Your call has been forwarded to an automatic voice message system.  At the tone, please record your message.',
    'The person you are trying to reach is not available. Please leave a message.',
    "You've reached Dr. Miller's office. We are unavailable at the moment and will get back to you as soon as possible.",
    "Hello, this is Ann's voicemail.",
    'Bitte hinterlassen Sie eine Nachricht nach dem Signalton.',
  ])('a voicemail: %s', (text) => {
    expect(isVoicemailGreeting(text)).toBe(true)
  })

  it.each([
    "He's not available right now.",
    'Would you like to leave a message?',
    'Can I take a message?',
    "You've reached Joe's Pizza, how can I help you?",
    'I will call you back.',
    "I can't come to the phone right now, I'm driving.",
    'Hi, the person you are calling is using a screening service. Go ahead and say your name, and why you are calling.',
  ])('no voicemail: %s', (text) => {
    expect(isVoicemailGreeting(text)).toBe(false)
  })

  it.each([
    'For sales, press one. For support, press two.',
    'Press 1 for English.',
    'If you know your extension, dial it now, or press the pound key.',
    'To make a reservation, say one.',
    'Please enter your account number.',
  ])('a menu: %s', (text) => {
    expect(isMenu(text)).toBe(true)
  })

  it.each([
    'One for dinner, please.',
    'I have one for you.',
    'The press wrote about it.',
    'You can enter through the back.',
  ])('no menu: %s', (text) => {
    expect(isMenu(text)).toBe(false)
  })

  it('a queue, a screening, somebody who asks for a moment', () => {
    expect(isQueue('Your call is important to us. Please stay on the line.')).toBe(true)
    expect(isQueue('You are number three in line.')).toBe(true)
    expect(isQueue('What is your number?')).toBe(false)
    expect(isScreening('May I ask who is calling and why?')).toBe(true)
    expect(isScreening('Who is calling?')).toBe(false)
    expect(waitAsked('Hold on, I will get her.')).toBe(60_000)
    expect(waitAsked('Please stay on the line.')).toBe(180_000)
    expect(waitAsked('That will be twenty dollars.')).toBe(0)
  })

  it('is hinted at in one pair of round brackets, and not where it is a person', () => {
    expect(hintFor('Press 1 for sales.')).toMatch(/^\([^()]+\)$/)
    expect(hintFor('May I ask who is calling and why?')).toMatch(/^\(The call is screened[^()]+\)$/)
    expect(hintFor('Your call is important to us.')).toMatch(/^\([^()]+\)$/)
    expect(hintFor('What would you like?')).toBeNull()
  })
})
